"""Tables that people open in a spreadsheet."""

from flowers.base.tables import read_csv, to_rows, write_csv


def test_an_escaped_table_has_no_formula_and_is_read_back_unchanged(tmp_path):
    names = ["=1+1", "+cmd", "-x", "@sum", "\tq", "'=1", "Tulip", "-0.5", "it's", "'"]
    rows = [{"class": name, "f1": "-0.25"} for name in names]
    path = tmp_path / "table.csv"
    write_csv(path, rows, escape=True)
    cells = read_csv(path)["class"]
    assert [cell for cell in cells if cell[0] in "=+-@\t"] == ["-0.5"]
    assert to_rows(read_csv(path, escaped=True)) == rows
    write_csv(path, rows)
    assert to_rows(read_csv(path)) == rows
