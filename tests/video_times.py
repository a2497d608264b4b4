"""When frame n of the variable-rate clips in tests/fixtures/video is due."""

N_FRAMES = 40

# The same twice: for ffmpeg, which makes the clips, and for the tests, which read them.
SETPTS = "(N*0.1 + gte(N\\,16)*1.7 + gte(N\\,26)*0.03*mod(N\\,3))/TB"


def frame_time_s(n: int) -> float:
    """10 frames per second, a pause of 1.7 s before frame 16, jitter from frame 26 on."""
    return 0.1 * n + (1.7 if n >= 16 else 0.0) + (0.03 * (n % 3) if n >= 26 else 0.0)
