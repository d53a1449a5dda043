"""A jar that tells Connect of the MongoDB sink.

The sink's own jar lacks the entry that `plugin.discovery=service_load` looks for; scanning every jar instead costs seconds at
each start. A jar and not a folder, since class archives (see `cds`) allow no folders on the class path.
"""

import io
import os
import zipfile
from pathlib import Path

from stack.errors import StackError

_ENTRY = "META-INF/services/org.apache.kafka.connect.sink.SinkConnector"
_PLUGIN = "com.mongodb.kafka.connect.MongoSinkConnector\n"


def provide(folder: Path) -> Path:
    """The jar in `folder`; written when it is missing or another. Unchanged it keeps its time, which class archives check."""
    path = folder / "connect-services.jar"
    content = jar_bytes()
    try:
        if not path.exists() or path.read_bytes() != content:
            folder.mkdir(parents=True, exist_ok=True)
            temporary = folder / f".{path.name}.{os.getpid()}"
            temporary.write_bytes(content)
            temporary.replace(path)
    except OSError as error:
        raise StackError(
            f"{path} cannot be written", why=f"{error}.", remedy="Make it writable, or name another folder in PAAI_CACHE_DIR."
        ) from error
    return path


def jar_bytes() -> bytes:
    """The jar itself; the same bytes every time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as jar:
        jar.writestr(zipfile.ZipInfo(_ENTRY), _PLUGIN)
    return buffer.getvalue()
