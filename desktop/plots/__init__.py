"""Charts: pyqtgraph items that draw the arrays of a snapshot, and the arithmetic behind them.

`timewindow`, `ticks`, `valuerange`, `geometry` and `lookup` are plain numpy and Python; `layer` and what builds on it draw.
Nothing here knows where data come from: a chart is given a `SensorView` and draws that.
"""
