"""A table as a struct of arrays: one row a device, rows join at the end and leave anywhere."""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
I8 = npt.NDArray[np.int8]
Bool = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]


@dataclass
class Columns:
    """Base of tables whose fields are all arrays with the devices along axis 0."""

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))

    def append(self, other: Self) -> None:
        """Put the rows of `other` behind the present ones, whose positions do not change."""
        for field in fields(self):
            setattr(self, field.name, np.concatenate((getattr(self, field.name), getattr(other, field.name))))

    def keep(self, mask: Bool) -> None:
        """Drop the rows where `mask` is false; the others keep their order and state."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name)[mask])
