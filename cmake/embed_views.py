#!/usr/bin/env python3
"""Turns src/view/sql/*.sql into one C++ source: the views' names and SELECTs, macros expanded, in an order in which
they can be created.

Usage: embed_views.py SQL_DIR OUTPUT.cpp. A file is named for its view and begins with a line `-- scope: sys` or
`-- scope: sys, tenant`; a line `-- oracle: A, B, …` after it names the columns that the view has in ORACLE mode,
`-- oracle: *, A AS CHAR(256), …` those that have another type there. docs/views.md explains the macros below to who writes a view.
"""
import pathlib
import re
import sys

# name: (number of arguments, text with {0}, {1} …)
MACROS = {
    "BIGINT": (1, "CAST(CAST({0} AS CHAR(20)) AS SIGNED)"),
    "LONGTEXT": (1, "CAST({0} AS CHAR(16777216))"),
    # 1.52GB; below a terabyte, a gigabyte: the next smaller unit; MB is the smallest
    "BYTES_DISPLAY": (2, "CAST(CASE WHEN {0} >= 1125899906842624 THEN CONCAT(ROUND({0} / 1125899906842624, 2), 'PB')"
                         " WHEN {0} >= 1099511627776 THEN CONCAT(ROUND({0} / 1099511627776, 2), 'TB')"
                         " WHEN {0} >= 1073741824 THEN CONCAT(ROUND({0} / 1073741824, 2), 'GB')"
                         " ELSE CONCAT(ROUND({0} / 1048576, 2), 'MB') END AS CHAR({1}))"),
    # decimals, since a double has too few digits for microseconds; NULL for 0 and beyond what FROM_UNIXTIME knows
    "SCN_TIME": (1, "FROM_UNIXTIME(CAST(NULLIF({0}, 0) DIV 1000 AS DECIMAL(20)) * 0.000001)"),
    "SCN_TEXT": (1, "CAST(SCN_TIME({0}) AS CHAR(26))"),
    "RATIO": (3, "CAST(IF({1} = 0, 0, {0} / {1}) AS DECIMAL({2}, 2))"),
    "PERCENT": (3, "CAST(IF({1} = 0, 0, {0} * 100 / {1}) AS DECIMAL({2}, 2))"),
    # of unsigned SCNs: how far {1} has come from {0} to {2}
    "PERCENT_BETWEEN": (4, "CAST(IF({0} = 0 OR {1} < {0}, 0, IF({1} >= {2}, 100, ({1} - {0}) / ({2} - {0}) * 100))"
                           " AS DECIMAL({3}, 2))"),
    # 0 while it runs
    "BYTES_PER_SECOND": (3, "CAST(COALESCE({0} / NULLIF(UNIX_TIMESTAMP({2}) - UNIX_TIMESTAMP({1}), 0), 0)"
                            " AS DECIMAL(28, 4))"),
}


def arguments(text, start):
    """The arguments of a call whose opening bracket is just before `start`, and the position after its end."""
    parts, depth, begin = [], 0, start
    for i in range(start, len(text)):
        c = text[i]
        if c == "(":
            depth += 1
        elif c == ")" and depth:
            depth -= 1
        elif c in ",)" and not depth:
            parts.append(text[begin:i].strip())
            begin = i + 1
            if c == ")":
                return parts, begin
    raise ValueError("unbalanced brackets")


def expand(sql, name):
    while call := re.search(r"\b(" + "|".join(MACROS) + r")\(", sql):
        count, body = MACROS[call[1]]
        parts, end = arguments(sql, call.end())
        if len(parts) != count:
            raise ValueError(f"{name}: {call[1]} takes {count} arguments")
        sql = sql[:call.start()] + body.format(*parts) + sql[end:]
    return sql


def read_view(path):
    first, _, sql = path.read_text().partition("\n")
    scope = re.fullmatch(r"-- scope: (sys|sys, tenant)", first)
    if not scope:
        raise ValueError(f"{path.name}: the first line must be '-- scope: sys' or '-- scope: sys, tenant'")
    oracle = re.match(r"-- oracle: ((?:.+,\n--)*.+)\n", sql)
    if oracle:
        sql = sql[oracle.end():]
    return {"sql": expand(sql.strip(), path.stem), "tenant": "tenant" in scope[1],
            "oracle": re.sub(r"\n--", "", oracle[1]) if oracle else "",
            "needs": set(re.findall(r"\boceanbase\.([\w$]+)", sql))}


def in_order(views):
    done = []

    def add(name):
        for needed in sorted(views[name]["needs"]):
            add(needed)
        if name not in done:
            done.append(name)

    for name in sorted(views):
        add(name)
    return done


def main():
    sql_dir, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    views = {path.stem: read_view(path) for path in sql_dir.glob("*.sql")}
    entries = "".join(f'    {{"{name}", {str(views[name]["tenant"]).lower()}, R"sql({views[name]["sql"]})sql",\n     "{views[name]["oracle"]}"}},\n'
                      for name in in_order(views))
    output.write_text("// Made by cmake/embed_views.py from src/view/sql.\n"
                      '#include "view/view_definition.h"\n\n'
                      "namespace tidemark::view {\n\n"
                      f"static constexpr ViewDefinition kViews[] = {{\n{entries}}};\n\n"
                      "std::span<const ViewDefinition> viewDefinitions() { return kViews; }\n\n"
                      "}  // namespace tidemark::view\n")


if __name__ == "__main__":
    main()
