"""Every port of the system. `Ports(offset)` shifts all of them, so that several systems live side by side."""

from dataclasses import dataclass
from typing import Final

PAAI: Final = 8000
GENERATOR: Final = 7000
PREDICTOR: Final = 8001
MONGO: Final = 27017
ZOOKEEPER: Final = 2181
KAFKA: Final = 9092
KAFKA_JMX: Final = 9101
CONNECT: Final = 8083
SPARK_MASTER_UI: Final = 8080
SPARK_MASTER: Final = 7077
MONGO_EXPRESS: Final = 8081
SPARK_WORKER_UI: Final = 8082
CONTROL_CENTER: Final = 9021

#: The highest base port is 27017; the shifted one must stay a valid TCP port.
MAX_OFFSET: Final = 65535 - MONGO


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one running system.

    Attributes:
        offset: Added to every base port; 0 … MAX_OFFSET.
    """

    offset: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.offset <= MAX_OFFSET:
            raise ValueError(f"port offset {self.offset} is outside 0 … {MAX_OFFSET}")

    @property
    def paai(self) -> int:
        return PAAI + self.offset

    @property
    def generator(self) -> int:
        return GENERATOR + self.offset

    @property
    def predictor(self) -> int:
        return PREDICTOR + self.offset

    @property
    def mongo(self) -> int:
        return MONGO + self.offset

    @property
    def zookeeper(self) -> int:
        return ZOOKEEPER + self.offset

    @property
    def kafka(self) -> int:
        return KAFKA + self.offset

    @property
    def kafka_jmx(self) -> int:
        return KAFKA_JMX + self.offset

    @property
    def connect(self) -> int:
        return CONNECT + self.offset

    @property
    def spark_master_ui(self) -> int:
        return SPARK_MASTER_UI + self.offset

    @property
    def spark_master(self) -> int:
        return SPARK_MASTER + self.offset

    @property
    def spark_worker_ui(self) -> int:
        return SPARK_WORKER_UI + self.offset
