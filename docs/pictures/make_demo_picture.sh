#!/usr/bin/env bash
# Make demo.png: a virtual desktop on which the demo runs, at the moment of its notification.
# Needs posture, and Debian's xvfb xauth dbus dbus-x11 dunst xterm imagemagick fonts-dejavu-core.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work XDG_CONFIG_HOME=$work/config OUT=$here/demo.png WORK=$work
mkdir -p "$work/config/dunst"
cat > "$work/config/dunst/dunstrc" <<'D'
[global]
    width = (260, 400)
    offset = 16x16
    origin = top-right
    font = DejaVu Sans 11
    frame_width = 1
    frame_color = "#6b7a8f"
    corner_radius = 6
    padding = 12
    horizontal_padding = 14
[urgency_normal]
    background = "#f6f7f9"
    foreground = "#20242b"
    timeout = 30
D
python - <<'P'
import os, cv2
from posture.bundled import asset_path
clip = cv2.VideoCapture(str(asset_path("demo.mp4")))
clip.set(cv2.CAP_PROP_POS_MSEC, 30_000)
cv2.imwrite(os.path.join(os.environ["WORK"], "person.png"), cv2.flip(clip.read()[1], 1))
P
xvfb-run -a -s "-screen 0 1180x440x24" dbus-run-session -- bash -c '
    convert -size 1180x440 xc:"#46535f" "$WORK/wall.png"
    convert "$WORK/wall.png" \( "$WORK/person.png" -resize 400x300 -bordercolor "#20242b" -border 3 \) \
        -geometry +16+64 -composite "$WORK/desk.png"
    display -window root "$WORK/desk.png"
    dunst > /dev/null 2>&1 &
    xterm -fa "DejaVu Sans Mono" -fs 10 -geometry 88x13+440+140 -bg "#14171c" -fg "#d7dce3" -b 8 \
        -e bash -c "printf \"\\\$ posture demo\n\"; posture demo; sleep 30" &
    for _ in $(seq 120); do
        sleep 0.25
        if [ "$(dunstctl count displayed 2> /dev/null)" = 1 ]; then break; fi
    done
    sleep 0.8
    import -window root "$OUT"
    kill %1 %2' 2> /dev/null
echo "$here/demo.png"
