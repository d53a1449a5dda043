from desktop.plots.timewindow import MIN_SPAN_S, TimeWindow


def test_follows_now_until_held() -> None:
    window = TimeWindow(span_s=60)
    assert window.range(1000.0) == (940.0, 1000.0)
    assert window.range(1007.0) == (947.0, 1007.0)
    window.hold(1007.0)
    assert window.range(1100.0) == (947.0, 1007.0)
    window.follow()
    assert window.range(1100.0) == (1040.0, 1100.0)


def test_panning_into_the_past_holds_and_reaching_now_follows() -> None:
    window = TimeWindow(span_s=60)
    window.pan(-30.0, now=1000.0)
    assert not window.following
    assert window.range(1010.0) == (910.0, 970.0)
    window.pan(39.0, now=1010.0)
    assert window.range(1010.0) == (949.0, 1009.0)
    window.pan(5.0, now=1010.0)
    assert window.following


def test_zoom_keeps_now_at_the_right_while_following() -> None:
    window = TimeWindow(span_s=60)
    window.zoom(0.5, now=1000.0, anchor=950.0)
    assert window.following
    assert window.range(1000.0) == (970.0, 1000.0)


def test_zoom_keeps_the_anchor_in_place_while_held() -> None:
    window = TimeWindow(span_s=60)
    window.hold(1000.0)
    window.zoom(0.5, now=2000.0, anchor=955.0)  # a quarter from the left
    start, end = window.range(2000.0)
    assert end - start == 30.0
    assert (955.0 - start) / 30.0 == 0.25


def test_zooming_out_never_shows_the_future() -> None:
    window = TimeWindow(span_s=60)
    window.hold(1000.0)
    window.zoom(10.0, now=1005.0, anchor=941.0)
    assert window.range(1005.0)[1] == 1005.0


def test_a_box_is_held_and_an_empty_one_ignored() -> None:
    window = TimeWindow(span_s=60)
    window.show(500.0, 520.0, now=1000.0)
    assert window.range(1000.0) == (500.0, 520.0)
    window.show(600.0, 600.0, now=1000.0)
    assert window.range(1000.0) == (500.0, 520.0)


def test_the_span_has_a_least() -> None:
    window = TimeWindow(span_s=2)
    for _ in range(20):
        window.zoom(0.5, now=1000.0)
    assert window.span_s == MIN_SPAN_S
