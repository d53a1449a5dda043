"""Logins: on the clipboard where a page asks for one, in plain sight only where asked for."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QPushButton, QWidget

from desktop.views.services.page import ServicesPage
from desktop.views.window.access import AccessDialog
from tests.gui.conftest import Bench
from tests.gui.test_window import texts
from tests.unit.desktop.model.test_access import GUARDED, SECRETS


@pytest.fixture
def guarded(make_bench: Callable[..., Bench]) -> Bench:
    bench = make_bench(up=True)
    bench.target.given = GUARDED
    bench.attach()
    return bench


def links(page: ServicesPage) -> list[QPushButton]:
    found = [page.links.itemAt(i) for i in range(page.links.count())]
    return [w for item in found if item is not None and isinstance(w := item.widget(), QPushButton)]


def visible(widget: QWidget) -> str:
    return texts(widget) + "\n".join(w.toolTip() + w.accessibleName() for w in widget.findChildren(QWidget))


def test_a_page_opens_with_its_login_on_the_clipboard(guarded: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(QUrl(url).toString()))
    guarded.window.show_key("services")
    page = guarded.window.current_page
    assert isinstance(page, ServicesPage)
    page.select("connect")
    links(page)[0].click()
    assert opened == ["http://127.0.0.1:15000/"]
    assert QGuiApplication.clipboard().text() == GUARDED.web_password
    assert any("User web-1; the password is on the clipboard" in n.text for n in guarded.notifications.entries())
    assert not any(secret in visible(guarded.window) for secret in SECRETS)


def test_secrets_are_dots_until_asked_for(guarded: Bench) -> None:
    guarded.window.show_access()
    dialog = guarded.window.findChild(AccessDialog)
    assert dialog is not None
    assert not any(secret in visible(dialog) for secret in SECRETS)
    assert "desktop-1" in texts(dialog)
    field = dialog.secrets[0]
    field.show_button.click()
    assert str(GUARDED.token) in texts(dialog)
    assert sum(secret in visible(dialog) for secret in SECRETS) == 1, "the others stay dots"
    field.show_button.click()
    assert not any(secret in visible(dialog) for secret in SECRETS)
    field.copy_button.click()
    assert QGuiApplication.clipboard().text() == GUARDED.token
    dialog.close()


def test_a_copied_secret_leaves_the_clipboard(guarded: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from desktop.views.widgets import secrets

    monkeypatch.setattr(secrets, "CLIPBOARD_S", 0.01)
    secrets.copy_secret("tok-en")
    guarded.wait(lambda: QGuiApplication.clipboard().text() == "", "it is gone")
    secrets.copy_secret("tok-en")
    QGuiApplication.clipboard().setText("something else")
    guarded.qtbot.wait(50)
    assert QGuiApplication.clipboard().text() == "something else"
