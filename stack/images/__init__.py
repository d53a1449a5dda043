"""The container images: one folder each, and what builds them.

`build_images` makes what is missing or older than the sources; `outdated` says which that is.
"""

from stack.images.build import build_images, outdated
from stack.images.catalogue import IMAGES, PUBLISHED, ImageSpec

__all__ = ["IMAGES", "PUBLISHED", "ImageSpec", "build_images", "outdated"]
