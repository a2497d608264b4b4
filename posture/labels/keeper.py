"""The label file of a clip that is being labelled: opened, and written after every change."""

from __future__ import annotations

import os
from pathlib import Path

from posture.errors import LabelError, OutputError
from posture.files import write_atomically
from posture.labels.files import default_path, encode_labels, find_labels, read_labels, write_labels
from posture.labels.labels import Labels


class Keeper:
    """One clip's label file.

    Parameters
    ----------
    clip : Path
        The clip; its label file is found beside it, or will be written there.
    path : Path, optional
        Another place for the label file.

    Raises
    ------
    LabelError
        If there are two label files, the one there cannot be read, or its folder cannot be written to.
    """

    def __init__(self, clip: Path, path: Path | None = None) -> None:
        found = find_labels(clip) if path is None else path
        self.path = default_path(clip) if found is None else found
        self.is_new = not self.path.exists()
        folder = self.path.parent
        if folder.exists() and not os.access(folder, os.W_OK):  # said before an hour of work, not after it
            raise LabelError(f"cannot write into {folder}, where the labels go; give --labels FILE elsewhere")
        name = clip.resolve().name if clip.name in ("", "..") else clip.name
        self.labels = (
            Labels(clip=name if name.isprintable() else "") if self.is_new else read_labels(self.path)
        )
        """As they are in the file."""
        self.note = ""
        """What a person should know of the file."""
        self._before = b"" if self.is_new else self.path.read_bytes()
        self._is_kept = self.is_new or self._before == encode_labels(self.path, self.labels)

    @property
    def backup(self) -> Path:
        """Where the file as it was is kept, if rewriting it would lose something of how it was written."""
        return self.path.with_name(self.path.name + "~")

    def save(self, labels: Labels) -> None:
        """Write the labels; the first time, a file with remarks or another order is kept beside it.

        Raises
        ------
        OutputError
            If that cannot be done; what was there is untouched.
        LabelError
            If another program has changed the file meanwhile.
        """
        if labels == self.labels:
            return
        if self._now() != self._before:
            raise LabelError(
                f"{self.path} has been changed by another program; close this, and open it again"
            )
        if not self._is_kept:
            self._keep()
        write_labels(self.path, labels)
        self.labels, self.is_new, self._before = labels, False, self._now()

    def _keep(self) -> None:
        """Put the file as it was beside it."""
        write_atomically(self.backup, self._before)
        self._is_kept = True
        self.note = f"{self.path.name} was written another way, by hand perhaps; as it was it is in {self.backup.name}"

    def _now(self) -> bytes:
        """Return what the file holds; nothing if there is none."""
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise OutputError(f"cannot read {self.path}: {error.strerror}") from error
