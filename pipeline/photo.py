"""Bytes from a stranger -> one upright RGB array, or a typed error. Every path into the pipeline starts here.

Nothing is believed but the content: neither file name nor declared type is looked at. Size is read from the header
and checked before any pixel is decoded. No decoder's own text leaves this module (such a text once carried heap
addresses to a client elsewhere); EXIF is used for the orientation and then dropped with everything else it says.
"""

import io
import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from pipeline.errors import BodyTooLarge, ImageTooLarge, UndecodableImage, UnsupportedImage

BACKDROP: Final = (128, 128, 128)
"""What transparent pixels become. Mid-gray and not white: most pills are white, and a white pill that was cut out
by some app must not vanish into white paper."""

MAX_JPEG_SCANS: Final = 100
"""A camera writes 1 scan, progressive encoders about 10. Thousands of them over a large frame are minutes of work
hidden in a small file (libjpeg-turbo's own fuzzers stop at 500)."""

_MAGIC: Final = (("JPEG", b"\xff\xd8\xff"), ("PNG", b"\x89PNG\r\n\x1a\n"), ("WEBP", b"RIFF"))


@dataclass(frozen=True, slots=True)
class PhotoLimits:
    """What is decoded at most, and how large the result stays."""

    max_bytes: int = 10_000_000
    max_pixels: int = 40_000_000
    max_side: int = 12_000  # px
    long_side: int = 1_600  # px; larger photos are halved or quartered while decoding, never below this long side


@dataclass(frozen=True, slots=True)
class Photo:
    """One upright photo, decoded no larger than the pipeline has use for.

    `pixels`: (H, W, 3) uint8 RGB; `scale`: px of `pixels` per px of the full photo (1.0, 0.5 or 0.25);
    `width`, `height`: of the full upright photo, in px. A point of `pixels` divided by `scale` is its place in the
    full photo.
    """

    pixels: NDArray[np.uint8]
    scale: float
    width: int
    height: int


def read_photo(data: bytes, limits: PhotoLimits = PhotoLimits()) -> Photo:
    """Decode an uploaded JPEG, PNG or WebP.

    Raises:
        BodyTooLarge: more than `limits.max_bytes`.
        ImageTooLarge: more pixels, or a longer side, than `limits` allow; found before decoding.
        UnsupportedImage: another format, or an animation.
        UndecodableImage: empty, cut off or broken.
    """
    if len(data) > limits.max_bytes:
        raise BodyTooLarge(f"a photo may have at most {limits.max_bytes} bytes")
    kind = _kind(data)
    if kind == "WEBP":  # Pillow hands a WebP to its decoder, which allocates the whole canvas, at `open`
        _check_size(*_webp_size(data), limits)
    elif kind == "JPEG" and data.count(b"\xff\xda") > MAX_JPEG_SCANS:
        raise UndecodableImage("the JPEG has more scans than any camera writes")
    try:
        with Image.open(io.BytesIO(data), formats=(kind,)) as image:
            return _decode(image, kind, limits)
    except (ImageTooLarge, UnsupportedImage):
        raise
    except Image.DecompressionBombError:
        raise ImageTooLarge(_too_large(limits)) from None
    except Exception:  # decoders raise OSError, SyntaxError, struct.error, ValueError, EOFError, MemoryError ...
        raise UndecodableImage(f"the {kind} file is cut off or broken") from None


def _kind(data: bytes) -> str:
    if not data:
        raise UndecodableImage("the file is empty")
    for kind, magic in _MAGIC:
        if data.startswith(magic) and (kind != "WEBP" or data[8:12] == b"WEBP"):
            return kind
    raise UnsupportedImage("photos must be JPEG, PNG or WebP")


def _too_large(limits: PhotoLimits) -> str:
    return f"an image may have at most {limits.max_pixels} pixels and sides of at most {limits.max_side} pixels"


def _check_size(width: int, height: int, limits: PhotoLimits) -> None:
    if width * height > limits.max_pixels or max(width, height) > limits.max_side:
        raise ImageTooLarge(_too_large(limits))


def _webp_size(data: bytes) -> tuple[int, int]:
    """Width and height from a WebP's first chunk (RFC 9649, sections 2.5 to 2.7); (0, 0) where there is none."""
    chunk, body = data[12:16], data[20:30]
    if chunk == b"VP8X" and len(body) == 10:
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if chunk == b"VP8L" and len(body) >= 5:
        (bits,) = struct.unpack("<I", body[1:5])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8 " and len(body) == 10:
        width, height = struct.unpack("<HH", body[6:10])
        return width & 0x3FFF, height & 0x3FFF
    return 0, 0


def _decode(image: Image.Image, kind: str, limits: PhotoLimits) -> Photo:
    width, height = image.size
    _check_size(width, height, limits)
    # A phone's JPEG may hold a second picture (depth, HDR gain map): its first one is the photo, not an animation.
    if kind != "JPEG" and getattr(image, "n_frames", 1) > 1:
        raise UnsupportedImage("animated images are not taken")
    orientation = _orientation(image)
    factor = next((f for f in (4, 2) if max(width, height) >= f * limits.long_side), 1)
    if kind == "JPEG":  # the DCT itself is scaled: a 12 MP photo in a third of the time and a sixteenth of the memory
        image.draft(None, (max(1, width // factor), max(1, height // factor)))
    shrunk = round(width / image.size[0]) if width >= height else round(height / image.size[1])
    rgb = _to_rgb(image, factor // shrunk)
    pixels = np.ascontiguousarray(_upright(np.asarray(rgb), orientation))
    if orientation >= 5:
        width, height = height, width
    return Photo(pixels, 1.0 / factor, width, height)


def _to_rgb(image: Image.Image, factor: int) -> Image.Image:
    """Any mode of Pillow -> RGB, `factor` times smaller. Colour profiles are not applied: the pipeline's colours
    were learnt from photos read in the same way, and a profile is one more parser for a stranger's bytes."""
    if image.mode.startswith("I"):  # 16-bit gray: `convert` would clip it to white instead of scaling it
        image = Image.fromarray((np.asarray(image).clip(0, 0xFFFF) >> 8).astype(np.uint8))
    transparent = image.has_transparency_data
    mode = "RGBA" if transparent else "RGB"
    if image.mode != mode:  # `convert` copies even where there is nothing to do
        image = image.convert(mode)
    if factor > 1:
        image = image.reduce(factor)
    if transparent:
        image = Image.alpha_composite(Image.new("RGBA", image.size, (*BACKDROP, 255)), image).convert("RGB")
    return image


def _orientation(image: Image.Image) -> int:
    """EXIF orientation 1-8 (EXIF 2.32, tag 0x0112); 1 where EXIF is absent, broken or nonsense."""
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # a broken EXIF block is no reason to refuse a photo that can be seen
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undo the camera's orientation. `pixels`: (H, W, 3) as stored."""
    if orientation >= 5:  # stored on its side: rows are the upright picture's columns
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels
