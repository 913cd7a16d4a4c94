"""The classifier: scikit-learn on its own digits, and the images that its users send."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

PIXELS = 64
BRIGHTEST = 16.0
"""Pixels are 0 to 16 in scikit-learn's digits."""
Images = NDArray[np.float64]


@dataclass(frozen=True)
class Prediction:
    """What the classifier says of one image."""

    digit: int
    confidence: float
    """Probability of the most likely digit."""


class Classifier:
    """A logistic regression over 8x8 digits; trained anew in each process, alike for equal seeds."""

    def __init__(self, seed: int) -> None:
        """Train, in well under a second."""
        images, digits = load_digits(return_X_y=True)
        train, self._held_out, labels, _ = train_test_split(
            images, digits, test_size=0.5, random_state=seed, stratify=digits
        )
        # A linear model grows unsure as its input fades. A less regularised one is too sure of everything.
        self._model: Any = LogisticRegression(C=3.0, max_iter=500).fit(train / BRIGHTEST, labels)

    def predict(self, pixels: list[float]) -> Prediction:
        """Classify one image of 64 pixels, 0 to 16; ValueError where it is none."""
        image = np.asarray(pixels, dtype=np.float64)
        if image.shape != (PIXELS,) or not np.all((image >= 0) & (image <= BRIGHTEST)):
            raise ValueError(f"an image is {PIXELS} numbers from 0 to {BRIGHTEST:g}")
        probabilities = self._model.predict_proba(image.reshape(1, -1) / BRIGHTEST)[0]
        best = int(np.argmax(probabilities))
        return Prediction(best, float(probabilities[best]))

    def confidences(self, images: Images) -> NDArray[np.float64]:
        """Return the confidence in each of many images (rows of 64 pixels)."""
        probabilities: NDArray[np.float64] = self._model.predict_proba(images / BRIGHTEST)
        highest: NDArray[np.float64] = probabilities.max(axis=1)
        return highest

    @property
    def held_out(self) -> Images:
        """The images that it was not trained on, one per row: what users send."""
        images: Images = self._held_out
        return images


def drifted(images: Images, seed: int) -> Images:
    """Return images as a scanner gives them whose lamp is dying: dark and noisy. No request fails of it."""
    noise = np.random.default_rng(seed).normal(0, 1, images.shape)
    faded: Images = np.clip(images * 0.35 + noise, 0, BRIGHTEST)
    return faded
