"""Files of a series: every file is read or refused with a reason, and what is read is written the same by each dialect."""

import contextlib
import io
import json
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.contract.times import from_datetime, to_iso
from backend.predictor import score
from backend.predictor.errors import SeriesError
from backend.predictor.series.read import read_series, read_windows

TIMES = st.one_of(
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(str),  # noqa: DTZ001 - naive ones are usual in files
    st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.isoformat()),
    st.integers(-(10**11), 10**19).map(str),
    st.floats(-1e12, 1e12).map(str),
    st.sampled_from(
        ["20230328", "2023", "2016-12-31T24:00:00", "2016-12-31T23:59:60Z", "9999-12-31T23:59:59-23:59", "", "NaT"]
    ),
    st.text(max_size=12),
)
VALUES = st.one_of(
    st.floats().map(str),
    st.integers(-(10**6), 10**6).map(str),
    st.decimals(-1000, 10**7, places=2).map(lambda d: f"{d:,}"),
    st.sampled_from(["", "nan", "1e999", "-1e99", "1,5", "1.234,5", "1_0", "٣", "0x1", "1 000"]),
    st.text(max_size=8),
)
CELLS = TIMES | VALUES
ROWS = st.lists(st.tuples(TIMES, VALUES).map(list) | st.lists(CELLS, max_size=4), max_size=30)
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1"])


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Something like a CSV file of any dialect."""
    separator = draw(st.sampled_from([",", ";", "\t", "|", " "]))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    quote = draw(st.sampled_from(["", '"', "'"]))
    header = draw(st.sampled_from([["timestamp", "value"], ["ds", "y"], ["a", "b"], ["id", "time", "data"], []]))
    rows = [*([header] if header else []), *draw(ROWS)]
    text = end.join(separator.join(f"{quote}{cell}{quote}" for cell in row) for row in rows) + draw(st.sampled_from(["", end]))
    return text.encode(draw(ENCODINGS), "replace")


@contextlib.contextmanager
def stored(content: bytes, name: str = "s.csv"):  # type: ignore[no-untyped-def]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        yield path


@given(files() | st.binary(max_size=400))
def test_any_file_is_read_or_refused(content: bytes) -> None:
    with stored(content) as path:
        try:
            series = read_series(path)
        except SeriesError:
            return
        assert len(series.values) >= 2
        assert np.isfinite(series.values).all()
        assert (np.diff(series.t_ms) > 0).all()
        assert all(to_iso(int(t)) for t in series.t_ms)
        assert len(series.refused) <= series.left_out


@given(files())
def test_the_command_ends_with_an_answer_or_one_sentence(content: bytes) -> None:
    out, err = io.StringIO(), io.StringIO()
    with stored(content) as path, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = score.main([str(path), "--json", "--scores", str(path.with_name("scores.csv"))])
    if status == 0:
        assert json.loads(out.getvalue())["readings"] >= 2
    else:
        assert (status, err.getvalue().startswith("score: ")) == (1, True)


@given(
    st.lists(st.decimals(-(10**6), 10**6, places=3), min_size=2, max_size=20),
    st.sampled_from([(",", "."), (";", "."), (";", ","), ("\t", ","), ("|", ".")]),
    st.booleans(),
    st.booleans(),
    ENCODINGS,
)
def test_a_series_is_the_same_in_each_dialect(
    values: list[float], dialect: tuple[str, str], header: bool, quoted: bool, encoding: str
) -> None:
    separator, sign = dialect
    start = datetime(2014, 4, 1, tzinfo=UTC)
    quote = '"' if quoted else ""
    lines = [f"timestamp{separator}value"] if header else []
    for i, value in enumerate(values):
        lines.append(f"{start + timedelta(minutes=i)}{separator}{quote}{str(value).replace('.', sign)}{quote}")
    with stored("\n".join(lines).encode(encoding)) as path:
        series = read_series(path)
    assert series.values.tolist() == [float(value) for value in values]
    assert series.t_ms.tolist() == [from_datetime(start) + 60_000 * i for i in range(len(values))]
    assert (series.left_out, series.refused) == (0, ())


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=25) | TIMES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@given(JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60))
def test_windows_are_read_or_refused(content: bytes) -> None:
    with stored(content, "w.json") as path:
        try:
            spans = read_windows(path)
        except SeriesError:
            return
        assert all(span.begin <= span.end for span in spans)


pytestmark = [pytest.mark.timeout(3600), pytest.mark.filterwarnings("ignore::RuntimeWarning")]
