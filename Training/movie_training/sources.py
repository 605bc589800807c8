"""Source pictures made on the spot: procedural scenes and augmented crops of packaged photographs.

The photographs come with the Python packages scikit-image and scikit-learn (public domain or CC0, see those packages).
Nothing is downloaded. Four photographs are kept out of training, for evaluation.
"""

from __future__ import annotations

import functools
import os

import cv2
import numpy as np
import skimage
import sklearn

SKIMAGE = os.path.join(os.path.dirname(skimage.__file__), "data")
SKLEARN = os.path.join(os.path.dirname(sklearn.__file__), "datasets", "images")

#: Training photographs and how often each is drawn.
TRAINING = {
    f"{SKIMAGE}/motorcycle_left.png": 4, f"{SKIMAGE}/motorcycle_right.png": 4, f"{SKIMAGE}/rocket.jpg": 6,
    f"{SKIMAGE}/camera.png": 5, f"{SKLEARN}/flower.jpg": 6, f"{SKIMAGE}/coins.png": 2, f"{SKIMAGE}/ihc.png": 1,
    f"{SKIMAGE}/hubble_deep_field.jpg": 1, f"{SKIMAGE}/retina.jpg": 1, f"{SKIMAGE}/brick.png": 1,
    f"{SKIMAGE}/grass.png": 1, f"{SKIMAGE}/gravel.png": 1, f"{SKIMAGE}/page.png": 1, f"{SKIMAGE}/text.png": 1,
    f"{SKIMAGE}/moon.png": 0.5, f"{SKIMAGE}/color.png": 0.5, f"{SKIMAGE}/logo.png": 0.5,
    f"{SKIMAGE}/clock_motion.png": 0.5,
}
#: Kept out of training; evaluation reads them at 512 x 384.
KEPT_OUT = {
    "astronaut": f"{SKIMAGE}/astronaut.png", "chelsea": f"{SKIMAGE}/chelsea.png", "coffee": f"{SKIMAGE}/coffee.png",
    "china": f"{SKLEARN}/china.jpg",
}
FACES = f"{SKIMAGE}/lfw_subset.npy"
FACES_WEIGHT = 4.0

Random = np.random.Generator


def load(path: str) -> np.ndarray:
    """An RGB picture, float32 [height, width, 3] in 0...1."""
    picture = cv2.imread(path, cv2.IMREAD_COLOR)
    if picture is None:
        raise FileNotFoundError(f"cannot read the photograph {path}: it must be a picture file; those with names of their own "
                                "come with scikit-image and scikit-learn")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB).astype(np.float32) / 255


def kept_out(name: str, width: int = 512, height: int = 384) -> np.ndarray:
    """A kept-out photograph, scaled to cover width x height and cropped (a little above the middle); any other name is the
    path of a picture. Raises FileNotFoundError for what cannot be read."""
    picture = load(KEPT_OUT.get(name, name))
    rows, columns = picture.shape[:2]
    scale = max(width / columns, height / rows)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    picture = cv2.resize(picture, (round(columns * scale), round(rows * scale)), interpolation=method)
    top, left = (picture.shape[0] - height) // 3, (picture.shape[1] - width) // 2
    return np.clip(picture[top : top + height, left : left + width], 0, 1)


@functools.cache
def _photographs() -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    weights = np.array([*TRAINING.values(), FACES_WEIGHT])
    return [load(path) for path in TRAINING], np.load(FACES).astype(np.float32), weights / weights.sum()


def random_colour(rng: Random, near: np.ndarray | None = None, spread: float = 0.2) -> np.ndarray:
    if near is not None and rng.random() < 0.6:
        return np.clip(near + rng.normal(0, spread, 3), 0, 1)
    if rng.random() < 0.35:  # skin, wood and earth
        value = rng.random()
        return np.clip(np.array([1.05 * value, 0.85 * value + 0.02, 0.7 * value]), 0, 1)
    return rng.random(3) ** rng.choice([0.7, 1, 1.5])


def cloud_noise(rng: Random, height: int, width: int) -> np.ndarray:
    """Noise with a power-law spectrum, unit deviation, stretched by chance: clouds, cloth, bark."""
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    radius = np.sqrt(fx * fx * rng.uniform(0.3, 1) + fy * fy) + 1 / 64
    spectrum = np.fft.rfft2(rng.normal(size=(height, width))) / radius ** rng.uniform(0.8, 2)
    noise = np.fft.irfft2(spectrum, s=(height, width))
    return (noise / (noise.std() + 1e-6)).astype(np.float32)


def gradient(rng: Random, height: int, width: int, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    ramp = columns * np.cos(angle) / width + rows * np.sin(angle) / height
    ramp = ((ramp - ramp.min()) / (np.ptp(ramp) + 1e-6)) ** rng.uniform(0.6, 1.6)
    return (start * (1 - ramp[..., None]) + end * ramp[..., None]).astype(np.float32)


def shape_mask(rng: Random, height: int, width: int, size: float) -> tuple[np.ndarray, float, float]:
    """An antialiased random shape (ellipse, box, polygon, blob or stroke) and its centre."""
    mask = np.zeros((2 * height, 2 * width), np.uint8)
    x, y, radius = rng.uniform(0, 2 * width), rng.uniform(0, 2 * height), 2 * size
    kind = rng.integers(0, 5)
    if kind == 0:
        axes = (max(2, int(radius)), max(2, int(radius * rng.uniform(0.3, 1))))
        cv2.ellipse(mask, (int(x), int(y)), axes, rng.uniform(0, 180), 0, 360, 255, -1, cv2.LINE_AA)
    elif kind == 1:
        box = cv2.boxPoints(((x, y), (radius * 2, radius * rng.uniform(0.2, 2)), rng.uniform(0, 180)))
        cv2.fillPoly(mask, [box.astype(np.int32)], 255, cv2.LINE_AA)
    elif kind in (2, 3):
        count = rng.integers(3, 8) if kind == 2 else 64
        angles = np.sort(rng.uniform(0, 2 * np.pi, count)) if kind == 2 else np.linspace(0, 2 * np.pi, 64, False)
        if kind == 2:
            reach = radius * rng.uniform(0.4, 1, count)
        else:
            reach = radius * (1 + sum(rng.normal(0, 0.25 / j) * np.cos(j * angles + rng.uniform(0, 6.3))
                                      for j in range(1, 6)))
        points = np.stack([x + np.cos(angles) * reach, y + np.sin(angles) * reach], 1)
        cv2.fillPoly(mask, [points.astype(np.int32)], 255, cv2.LINE_AA)
    else:
        points = np.cumsum(np.vstack([[x, y], rng.normal(0, radius * 0.6, (rng.integers(3, 8), 2))]), 0)
        thickness = int(max(1, rng.uniform(1, 5) * 2))
        cv2.polylines(mask, [points.astype(np.int32)], bool(rng.integers(0, 2)), 255, thickness, cv2.LINE_AA)
    mask = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return mask, x / 2, y / 2


def _fill(rng: Random, height: int, width: int, x: float, y: float, size: float, colour: np.ndarray) -> np.ndarray:
    """The surface of one shape: a gradient, a shaded ball or flat; sometimes textured or striped."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    kind = rng.random()
    if kind < 0.35:
        surface = gradient(rng, height, width, colour, random_colour(rng, colour, 0.25))
    elif kind < 0.7:
        light_x, light_y = rng.normal(0, 0.6, 2)
        dx, dy = (columns - x) / size, (rows - y) / size
        facing = np.sqrt(np.clip(1.2 - dx * dx - dy * dy, 0.02, None))
        shade = np.clip(dx * light_x + dy * light_y + 0.8 * facing, 0, 1.2)
        surface = colour * (0.2 + 0.9 * shade[..., None])
        if rng.random() < 0.4:
            surface = surface + 0.6 * np.clip(shade, 0, 1)[..., None] ** 20
    else:
        surface = np.broadcast_to(colour, (height, width, 3)).copy()
    if rng.random() < 0.35:
        surface = surface * (1 + cloud_noise(rng, height, width)[..., None] * rng.uniform(0.03, 0.25))
    if rng.random() < 0.15:
        frequency, angle = rng.uniform(0.05, 0.8), rng.uniform(0, 6.3)
        stripes = np.sin((columns * np.cos(angle) + rows * np.sin(angle)) * frequency)
        surface = surface * (1 + 0.4 * stripes[..., None])
    return surface


def procedural(rng: Random, height: int, width: int) -> np.ndarray:
    """Dead leaves: shapes of power-law sizes, lit, textured, with soft shadows and sometimes writing."""
    base = random_colour(rng)
    picture = gradient(rng, height, width, base, random_colour(rng, base))
    if rng.random() < 0.6:
        picture = picture + cloud_noise(rng, height, width)[..., None] * rng.uniform(0.01, 0.15) * rng.uniform(0.5, 1, 3)
    count = int(rng.integers(4, 20) if rng.random() < 0.5 else rng.integers(30, 90))
    for _ in range(count):
        power_law = np.clip(3 / np.sqrt(rng.random() * 0.9 + 0.0015), 2, width * 0.55)
        size = power_law if count > 20 else rng.uniform(6, width * 0.4)
        mask, x, y = shape_mask(rng, height, width, size)
        surface = _fill(rng, height, width, x, y, size, random_colour(rng, base, 0.35))
        if rng.random() < 0.3:
            mask = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.6, 4))
        if rng.random() < 0.25:
            shadow = cv2.GaussianBlur(np.roll(mask, (4, 4), (0, 1)), (0, 0), 4)
            picture = picture * (1 - 0.45 * shadow[..., None])
        picture = picture * (1 - mask[..., None]) + surface * mask[..., None]
    return (_write(rng, picture) if rng.random() < 0.15 else picture).astype(np.float32)


def _write(rng: Random, picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    letters = list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJ 0123456789")
    for _ in range(rng.integers(1, 5)):
        text = "".join(rng.choice(letters) for _ in range(rng.integers(3, 14)))
        mask = np.zeros((height, width), np.uint8)
        position = (int(rng.uniform(-20, width * 0.6)), int(rng.uniform(10, height)))
        cv2.putText(mask, text, position, int(rng.integers(0, 5)), rng.uniform(0.3, 1.6), 255,
                    int(rng.integers(1, 3)), cv2.LINE_AA)
        ink = mask[..., None] / 255.0
        picture = picture * (1 - ink) + random_colour(rng) * ink
    return picture


def _portrait(rng: Random, height: int, width: int, face: np.ndarray) -> np.ndarray:
    """A small grey face, enlarged, tinted like skin, on a made background."""
    size = int(rng.integers(60, min(height, width) - 2))
    face = cv2.resize(face, (size, size), interpolation=cv2.INTER_CUBIC)[..., None]
    tint = np.array([1.0, rng.uniform(0.75, 1), rng.uniform(0.55, 1)])
    top, left = rng.integers(0, height - size + 1), rng.integers(0, width - size + 1)
    mask = np.zeros((height, width), np.float32)
    cv2.ellipse(mask, (int(left + size // 2), int(top + size // 2)), (int(size * 0.38), int(size * 0.5)), 0, 0, 360, 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), 3)[..., None]
    canvas = np.zeros((height, width, 3), np.float32)
    canvas[top : top + size, left : left + size] = face * tint
    background = procedural(rng, height, width) if rng.random() < 0.5 else (
        cloud_noise(rng, height, width)[..., None] * 0.1
        + gradient(rng, height, width, random_colour(rng), random_colour(rng)))
    return background * (1 - mask) + canvas * mask


def photographic(rng: Random, height: int, width: int) -> np.ndarray:
    """A scaled, turned, mirrored crop of a packaged photograph."""
    photographs, faces, weights = _photographs()
    index = rng.choice(len(weights), p=weights)
    if index == len(photographs):
        picture = _portrait(rng, height, width, faces[rng.integers(0, 100)])
    else:
        whole = photographs[index]
        rows, columns = whole.shape[:2]
        least = height / min(rows, columns)
        scale = np.exp(rng.uniform(np.log(max(0.35, least)), np.log(max(1.4, least * 1.05))))
        crop_rows, crop_columns = min(rows, int(height / scale)), min(columns, int(width / scale))
        top, left = rng.integers(0, rows - crop_rows + 1), rng.integers(0, columns - crop_columns + 1)
        crop = whole[top : top + crop_rows, left : left + crop_columns]
        picture = cv2.resize(crop, (width, height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
        if rng.random() < 0.5:
            turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-20, 20), 1.25)
            picture = cv2.warpAffine(picture, turn, (width, height), borderMode=cv2.BORDER_REFLECT)
    if rng.random() < 0.5:
        picture = picture[:, ::-1]
    return np.ascontiguousarray(picture, dtype=np.float32)


def _turn_hue(picture: np.ndarray, angle: float) -> np.ndarray:
    c, s, k = np.cos(angle), np.sin(angle), 1 / 3
    q = np.sqrt(k)
    a, b, d = c + (1 - c) * k, k * (1 - c) - q * s, k * (1 - c) + q * s
    return picture @ np.array([[a, b, d], [d, a, b], [b, d, a]], np.float32).T


def augment(rng: Random, picture: np.ndarray) -> np.ndarray:
    """What cameras do: colour, exposure, gamma, focus, noise, compression."""
    if rng.random() < 0.6:
        grey = picture.mean(-1, keepdims=True)
        # A fifth of all pictures is nearly grey: so are asphalt, concrete and a room with a lamp, and there an edit must show as well.
        least, most = (0.0, 0.3) if rng.random() < 0.33 else (0.3, 1.8)
        picture = grey + (picture - grey) * rng.uniform(least, most)
        if rng.random() < 0.4:
            picture = _turn_hue(picture, rng.uniform(-np.pi, np.pi))
        picture = (picture - 0.5) * rng.uniform(0.6, 1.35) + 0.5 + rng.uniform(-0.15, 0.15)
        picture = picture * (1 + (rng.random() < 0.7) * rng.uniform(-0.15, 0.15, 3))
    picture = (np.clip(picture, 0, 1) ** rng.uniform(0.7, 1.5)).astype(np.float32)
    if rng.random() < 0.3:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.8))
    if rng.random() < 0.5:
        picture = picture + rng.normal(0, rng.uniform(0.003, 0.03), picture.shape)
    picture = np.clip(picture, 0, 1)
    if rng.random() < 0.3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 95))]
        _, encoded = cv2.imencode(".jpg", (picture * 255).astype(np.uint8), quality)
        picture = cv2.imdecode(encoded, cv2.IMREAD_COLOR) / 255.0
    return picture.astype(np.float32)


def sample(rng: Random, height: int, width: int, photograph_share: float = 0.65) -> np.ndarray:
    """One source picture, float32 [height, width, 3] in 0...1."""
    make = photographic if rng.random() < photograph_share else procedural
    return augment(rng, make(rng, height, width))
