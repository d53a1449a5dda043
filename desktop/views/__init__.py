"""Pages, panels and dialogs. What can be thought through without a window stands in desktop.model or desktop.qtmodels."""
