"""The export dialog. A new kind of export is one class in `kinds` and one line where the dialog is opened."""
