"""Links, images, anchors and references."""

from __future__ import annotations

import pytest

from plugins.checks.slugs import Slugs, folded
from tests.plugins.checks.conftest import Project


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("![x](img/a.png)", "shows the image img/a.png, which does not exist"),
        ('<img src="img/a.png">', "shows the image img/a.png, which does not exist"),
        ('<p><a href="docs/a.md">x</a></p>', "links to docs/a.md, which does not exist"),
        ("[x][y]\n\n[y]: docs/a.md", "links to docs/a.md, which does not exist"),
        ("[x](docs/a%20b.md)", "links to docs/a b.md, which does not exist"),
        ("[x](./docs/a.md?raw=true#top)", "links to docs/a.md, which does not exist"),
        ("[x](LICENSE)", "links to LICENSE, which does not exist"),
        ("[x](src/)", "links to src, which does not exist"),
        ("[x](#nowhere)\n\n# Here", "links to #nowhere, which no heading or anchor gives"),
        ("[x](#here-1)\n\n# Here", "links to #here-1, which no heading or anchor gives"),
        ("[x](#here-2)\n\n# Here\n\n# Here", "links to #here-2, which no heading or anchor gives"),
        ("[x](#my_part)\n\n# Here\n\n<a name='my-part'></a>", "links to #my_part, which no heading or anchor gives"),
        ("[x](.#gone)\n\n# Here", "links to #gone, which no heading or anchor of README.md gives"),
        (
            '<source srcset="img/a.png 1x, https://example.org/b.png 2x">',
            "shows the image img/a.png, which does not exist",
        ),
        ('<video src="img/a.mp4"></video>', "plays img/a.mp4, which does not exist"),
    ],
)
async def test_broken(project: Project, text: str, finding: str) -> None:
    project.write({"README.md": text + "\n"})
    assert await project.titles() == [f"README.md {finding}"]


@pytest.mark.parametrize(
    "text",
    [
        "[x](https://example.org/a.md)",
        "[x](mailto:a@example.org)",
        "[x](//example.org/a.md)",
        "[x](someone@example.org)",
        "[x](example.org)",
        "`[x](gone.md)`",
        "```\n[x](gone.md)\n```",
        "<!-- [x](gone.md) -->",
        "<!--\n[x](gone.md)\n-->",
        "[x](../../issues)",
        "[x](../blob/main/gone.md)",
        "[x](issues/3)",
        "[x]({{ url }}.md)",
        "[x](<path>)",
        "[x](${URL}/a.md)",
        "[x](url)",
        "[x](build/page.html)",
        "[x](/other/page.md)",
        "[x](#)",
        "[x](#readme)\n\n# Here",
        "[x](other.md#L10)",
        "[x](other.md#part-2)",
        "[x](other.md#extra)",
        "[x](other.md#custom)",
        "[x](folder)",
        "[x](guide/other/)",
        "[x](other.md#part-long-title)",
        "[x](other.md#step-7)",
        "[x](other.md)",
        "[x](other.md#Extra)",
        "[x](folder/#anything)",
        "[x](.#x)\n\n# x",
        '<source srcset="folder/a.txt 1x,folder/a.txt 2x"><img srcset="folder/a.txt">',
        '<img srcset="https://example.org/w_1,h_2/a.png 2x">',
    ],
)
async def test_not_broken_or_not_sure(project: Project, text: str) -> None:
    project.write(
        {
            "README.md": text + "\n",
            "other.md": '# Part\n\n# Part\n\n# Part\n\n<a name="extra"></a>\n\n## Long title {#custom}\n\n## Step 7\n',
            "folder/a.txt": "",
        }
    )
    assert await project.titles() == []


async def test_anchor_of_another_document(project: Project) -> None:
    project.write({"README.md": "[x](other.md#gone)\n", "other.md": "# Part\n"})
    assert await project.titles() == ["README.md links to #gone, which no heading or anchor of other.md gives"]


async def test_document_that_includes_others_has_unknown_anchors(project: Project) -> None:
    project.write({"README.md": "[x](other.md#gone)\n", "other.md": "# Part\n\n--8<-- 'rest.md'\n"})
    assert await project.titles() == []


async def test_submodule_is_not_missing(project: Project) -> None:
    project.write({".gitmodules": '[submodule "x"]\n\tpath = lib/x\n', "README.md": "[x](lib/x/README.md)\n"})
    assert await project.titles() == []


async def test_page_of_a_site_is_not_missing_when_its_source_lies_elsewhere(project: Project) -> None:
    project.write(
        {
            "mkdocs.yml": "",
            "docs/a.md": "[x](../guide/b.md)\n[y](page)\n[z](img/x.png)\n",
            "content/guide/b.md": "# B\n",
        }
    )
    assert await project.titles() == []


async def test_documents_of_others_and_of_tests_are_not_read(project: Project) -> None:
    for path in (
        "vendor/x/README.md",
        "tests/fixtures/README.md",
        "tests/case.md",
        ".github/PULL_REQUEST_TEMPLATE.md",
        ".tool/log.md",
    ):
        project.write({path: "[x](gone.md)\n"})
    assert await project.titles() == []


async def test_reference_without_definition(project: Project) -> None:
    project.write(
        {"README.md": "See [the guide][guide], [more][more docs] and `a[b][cd]`.\n\n[guide]: https://example.org\n"}
    )
    assert await project.titles() == ["README.md uses the link reference [more docs], which is not defined"]


async def test_brackets_that_are_no_links(project: Project) -> None:
    project.write(
        {"README.md": "Dict[str][int], x[i][j], [1][2] and [x][y.z]. [a][guide]\n\n[guide]: https://example.org\n"}
    )
    assert await project.titles() == []


async def test_line_of_a_link_in_a_table_is_that_of_its_row(project: Project) -> None:
    project.write({"README.md": "| a | b |\n| --- | --- |\n| x | y |\n| x | [z](gone.md) |\n"})
    (one,), _ = await project.check()
    assert one.line == 4


def test_slugs_number_what_repeats() -> None:
    slugs = Slugs()
    assert [slugs.add(text) for text in ("A b", "A b", "C++ & *d*!", "Ünï_x")] == ["a-b", "a-b-1", "c--d", "ünï_x"]


def test_anchors_are_compared_by_letters_and_digits() -> None:
    assert folded("%F0%9F%9A%80-Quick-start_1") == folded("quick start 1")
