/* SPDX-License-Identifier: Apache-2.0 */
/* A page is opened with its style sheet, filled by the caller, and closed. Writing goes on after an
 * error of the stream, which the caller asks for at the end. */
#include "server/draw/draw_page.h"

static const char style[] =
    ":root{--ink:#1c2430;--dim:#5b6675;--line:#d9dee6;--page:#fff;--s0:#0b6bcb;--s1:#8a94a3;"
    "--s2:#d9822b;--s3:#1f9d6b;--s4:#b9c2ce;--good:#13795b;--bad:#b3261e}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6ebf2;--dim:#9aa6b6;--line:#323b48;"
    "--page:#12161c;--s0:#5aa9ff;--s1:#98a3b3;--s2:#f0a55a;--s3:#4cc795;--s4:#4a5563;--good:#"
    "5fd0a5;"
    "--bad:#ff8a80}}\n"
    "body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);margin:0 auto;"
    "max-width:980px;padding:24px}\n"
    "h1{font-size:26px;margin:0 0 4px}h2{font-size:19px;margin:36px 0 6px}h3{font-size:14px;"
    "margin:0 0 4px;font-weight:600}p,.dim{color:var(--dim);margin:0 0 10px}\n"
    "table{border-collapse:collapse;width:100%;font-size:14px}td,th{padding:5px "
    "8px;text-align:left;"
    "border-bottom:1px solid var(--line);vertical-align:top}td.n,th.n{text-align:right;"
    "white-space:nowrap;font-variant-numeric:tabular-nums}.good{color:var(--good)}"
    ".bad{color:var(--bad);font-weight:600}.wrap{overflow-x:auto}\n"
    "figure{margin:14px 0 22px}svg{width:100%;height:auto;display:block}"
    "svg text{fill:var(--ink);font-size:12px}svg .tick,svg .axis{fill:var(--dim)}"
    ".grid{stroke:var(--line);fill:none}.whisker{stroke:var(--ink);fill:none;stroke-width:1.3}"
    ".mark{stroke:var(--bad);fill:none;stroke-dasharray:3 2}\n"
    ".l0,.l1,.l2,.l3{fill:none;stroke-width:2}.l0{stroke:var(--s0)}.l1{stroke:var(--s1)}"
    ".l2{stroke:var(--s2)}.l3{stroke:var(--s3)}.r0{fill:var(--s0)}.r1{fill:var(--s1)}"
    ".r2{fill:var(--s2)}.r3{fill:var(--s3)}.r4{fill:var(--s4)}.b4{background:var(--s4)}.b0{"
    "background:var(--s0)}.b1{background:var(--s1)}.b2{background:var(--s2)}"
    ".b3{background:var(--s3)}figcaption{font-size:13px;color:var(--dim)}"
    "figcaption span{margin-right:14px}figcaption i{display:inline-block;width:14px;height:3px;"
    "margin-right:5px;vertical-align:middle}dt{font-weight:600}dd{margin:0 0 "
    "8px;color:var(--dim)}\n"
    "@media print{figure,tr{break-inside:avoid}}\n";

void draw_page_open(FILE *out, const char *title)
{
    fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta "
          "name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>",
          out);
    draw_text(out, title);
    fprintf(out, "</title><style>%s</style></head><body>\n<h1>", style);
    draw_text(out, title);
    fputs("</h1>\n", out);
}

void draw_page_close(FILE *out)
{
    fputs("</body></html>\n", out);
}

void draw_text(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '&':
            fputs("&amp;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            fputc(*text, out);
        }
    }
}
