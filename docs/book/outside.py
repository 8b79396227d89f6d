#!/usr/bin/env python3
"""Links of the book that lead out of it, for mdBook.

On a repository's page a chapter links to other files by their paths. The HTML version has only the book: there such a link
becomes one to `output.html.git-repository-url`, if book.toml has that, and else the path of the file.
"""

import json
import posixpath
import re
import sys

LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((\.\.?/[^)\s]*)\)")
SOURCE = "docs/book/src"


def replaced(content, chapter, url):
    folder = posixpath.join(SOURCE, posixpath.dirname(chapter))

    def link(match):
        text, target = match.groups()
        path, _, anchor = target.partition("#")
        path = posixpath.normpath(posixpath.join(folder, path))
        if path.startswith(SOURCE + "/"):
            return match.group(0)
        if url:
            end = f"#{anchor}" if anchor else ""
            return f"[{text}]({url.rstrip('/')}/blob/HEAD/{path}{end})"
        return f"`{path}`" if path.endswith(text.strip("`")) else f"{text} (`{path}`)"

    return LINK.sub(link, content)


def walk(value, url):
    if isinstance(value, list):
        for item in value:
            walk(item, url)
    elif isinstance(value, dict):
        if isinstance(value.get("content"), str) and value.get("path"):
            value["content"] = replaced(value["content"], value["path"], url)
        for item in value.values():
            walk(item, url)


if sys.argv[1:2] == ["supports"]:
    sys.exit(0)
context, book = json.load(sys.stdin)
url = context["config"].get("output", {}).get("html", {}).get("git-repository-url")
walk(book, url)
json.dump(book, sys.stdout)
