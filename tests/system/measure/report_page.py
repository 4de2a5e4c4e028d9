# SPDX-License-Identifier: Apache-2.0
"""A page of a report taken apart: every element closed, nothing fetched and nothing run, ids unique, each
picture with the table of its figures. And numbers as pages show them."""

import html.parser
import re

VOID = {"meta", "rect", "line", "circle", "path"}  # of SVG those that close themselves
ALLOWED = VOID | {"html", "head", "title", "style", "body", "h1", "h2", "h3", "main", "section", "nav", "p",
                  "ul", "ol", "li", "a", "dl", "dt", "dd", "div", "figure", "figcaption", "span", "b", "i", "svg", "text",
                  "table", "caption", "thead", "tbody", "tr", "th", "td"}


class Page(html.parser.HTMLParser):
    """A page taken apart: tables by the id of their captions, and what is wrong with it."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.faults, self.open, self.ids, self.wanted = [], [], [], []
        self.tables, self.cells, self.caption = {}, None, None
        self.figures, self.headings = [], []
        self.feed(text)
        self.close()
        self.faults += [f"<{tag}> is not closed" for tag in self.open]
        self.faults += [f"id {id} twice" for id in {id for id in self.ids if self.ids.count(id) > 1}]
        self.faults += [f"nothing has the id {id}" for id in self.wanted if id not in self.ids]
        for table in self.figures:
            if table not in self.tables:
                self.faults.append(f"a picture has no table {table}")
        if self.headings[:1] != ["h1"] or self.headings.count("h1") != 1:
            self.faults.append("a page has one h1, at its head")
        if not text.startswith("<!doctype html>"):
            self.faults.append("no doctype")

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        if tag not in ALLOWED:
            self.faults.append(f"<{tag}> is not one of a report")
        self.faults += [f"{tag} {name}" for name, value in attributes
                        if name in ("src", "style", "srcset", "action") or name.startswith("on")
                        or (name == "href" and not value.startswith("#"))]
        if tag == "html" and named.get("lang") != "en":
            self.faults.append("no language")
        if tag == "th" and "scope" not in named:
            self.faults.append("a heading of a table without scope")
        if tag == "figure":
            self.figures.append(named.get("aria-details"))
        if named.get("role") == "img" and not named.get("aria-label"):
            self.faults.append("an image without a name")
        if re.fullmatch("h[1-6]", tag):
            if self.headings and int(tag[1]) > int(self.headings[-1][1]) + 1:
                self.faults.append(f"{tag} behind {self.headings[-1]}")
            self.headings.append(tag)
        self.ids += [named["id"]] if "id" in named else []
        self.wanted += [named[name] for name in ("aria-labelledby", "aria-details") if name in named]
        self.wanted += [named["href"][1:]] if "href" in named else []
        if tag == "caption":
            self.caption = named["id"]
            self.tables[self.caption] = []
        if tag == "tr" and self.caption:
            self.tables[self.caption].append([])
        if tag in ("th", "td") and self.caption:
            self.tables[self.caption][-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.faults.append(f"</{tag}> closes {self.open[-1:]}")
        elif self.open:
            self.open.pop()
        if tag == "table":
            self.caption = None

    def handle_data(self, data):
        if self.open and self.open[-1] in ("th", "td") and self.caption:
            self.tables[self.caption][-1][-1] += data
        if self.open and self.open[-1] == "style" and re.search(r"url\(|@import|expression", data):
            self.faults.append("the style sheet fetches")

    def rows(self, id):
        """Rows below the headings."""
        return self.tables[id][1:]


def share(value):
    return "–" if value is None else f"{value * 100:.1f} %"


def plain(cells):
    return [cell.replace(",", "") for cell in cells]


def number(value):
    text = f"{value:.4f}" if abs(value) < 10000 else f"{value:.2f}"
    text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
