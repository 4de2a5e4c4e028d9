/* SPDX-License-Identifier: Apache-2.0 */
/* A page is opened with its style sheet, filled by the caller, and closed. Writing goes on after an
 * error of the stream, which the caller asks for at the end. */
#include "server/draw/draw_page.h"

#include <stdarg.h>
#include <string.h>

#include "server/draw/draw_shown.h"

static const char style[] =
    ":root{color-scheme:light dark;--ink:#1c2430;--dim:#5b6675;--line:#d9dee6;--page:#fff;"
    "--s0:#0b6bcb;--s1:#8a94a3;--s2:#c26a12;--s3:#178057;--s4:#b9c2ce;--good:#13795b;"
    "--bad:#b3261e;--heat:11,107,203}\n"
    "@media screen and (prefers-color-scheme:dark){:root{--ink:#e6ebf2;--dim:#9aa6b6;"
    "--line:#323b48;--page:#12161c;--s0:#5aa9ff;--s1:#98a3b3;--s2:#f0a55a;--s3:#4cc795;"
    "--s4:#4a5563;--good:#5fd0a5;--bad:#ff8a80;--heat:90,169,255}}\n"
    "body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);"
    "margin:0 auto;max-width:1080px;padding:24px}\n"
    "h1{font-size:26px;line-height:1.2;margin:0 0 4px}h2{font-size:19px;margin:36px 0 6px}"
    "h3{font-size:14px;margin:0 0 4px;font-weight:600}p,.dim{color:var(--dim);margin:0 0 10px}"
    "p.answer{color:var(--ink);font-size:17px;max-width:46em}p{max-width:60em}"
    "a{color:var(--s0)}\n"
    "table{border-collapse:collapse;width:100%;font-size:13px}td,th{padding:5px 6px;"
    "text-align:left;border-bottom:1px solid var(--line);vertical-align:top}"
    "tbody th{font-weight:400}.d{white-space:nowrap}thead th{vertical-align:bottom}td.n,tbody "
    "th.n{white-space:nowrap}.n{text-align:right;"
    "font-variant-numeric:tabular-nums}tr:has(.total){font-weight:600}.total{font-weight:600}"
    ".good{color:var(--good)}.bad{color:var(--bad);font-weight:600}.wrap{overflow-x:auto;margin-"
    "bottom:22px}"
    ".ctl{color:var(--bad)}.wrap:focus-visible{outline:2px solid var(--s0)}"
    "caption{text-align:left;font-size:13px;color:var(--dim);padding:6px 0}\n"
    "figure{margin:14px 0 22px}figure>svg{width:100%;height:auto;display:block}"
    "svg text{fill:var(--ink);font-size:12px}svg .tick,svg .axis{fill:var(--dim)}"
    ".grid{stroke:var(--line);fill:none}.whisker{stroke:var(--ink);fill:none;stroke-width:1.3}"
    ".mark{stroke:var(--bad);fill:none;stroke-dasharray:3 2}\n"
    ".l0,.l1,.l2,.l3{fill:none;stroke-width:2}.l0{stroke:var(--s0)}.l1{stroke:var(--s1)}"
    ".a0,.a1,.a2,.a3{fill-opacity:.18;stroke-width:1}.a0{fill:var(--s0);stroke:var(--s0)}"
    ".a1{fill:var(--s1);stroke:var(--s1)}.a2{fill:var(--s2);stroke:var(--s2)}"
    ".a3{fill:var(--s3);stroke:var(--s3)}.again{stroke-dasharray:6 4;opacity:.6}"
    ".l2{stroke:var(--s2)}.l3{stroke:var(--s3)}.r0,.d0{fill:var(--s0)}.r1,.d1{fill:var(--s1)}"
    ".r2,.d2{fill:var(--s2)}.r3,.d3{fill:var(--s3)}.r4{fill:var(--s4)}.b4{background:var(--s4)}"
    ".b0{background:var(--s0)}.b1{background:var(--s1)}.b2{background:var(--s2)}"
    ".b3{background:var(--s3)}figcaption{font-size:13px;color:var(--dim)}"
    "figcaption span{margin-right:14px}figcaption i{display:inline-block;width:14px;height:3px;"
    "margin-right:5px;vertical-align:middle}\n"
    ".rows{max-width:720px;margin-top:6px}.row{display:flex;flex-wrap:wrap;"
    "justify-content:space-between;gap:0 12px;margin-bottom:6px;font-size:14px}"
    ".row span{overflow-wrap:anywhere}.row b{font-weight:600;font-variant-numeric:tabular-nums}"
    ".row svg{flex:0 0 100%;display:block}.row .base{stroke:var(--line)}"
    ".t0{fill:var(--s0)}.t1{fill:var(--s1)}.t2{fill:var(--s3)}.t3{fill:var(--bad)}"
    ".ends{display:flex;justify-content:space-between;font-size:12px;color:var(--dim)}\n"
    ".h1{background:rgba(var(--heat),.05)}.h2{background:rgba(var(--heat),.09)}"
    ".h3{background:rgba(var(--heat),.13)}.h4{background:rgba(var(--heat),.17)}"
    ".h5{background:rgba(var(--heat),.21)}.h6{background:rgba(var(--heat),.25)}"
    ".h7{background:rgba(var(--heat),.29)}.h8{background:rgba(var(--heat),.33)}\n";
/* The same goes on: a string of C has 4,095 bytes. */
static const char style_facts[] =
    ".tiles{display:flex;flex-wrap:wrap;gap:10px;margin:14px 0;padding:0}"
    ".tiles div{border:1px solid var(--line);border-radius:6px;padding:8px 14px;"
    "flex:1 1 130px}.tiles dt{font-weight:400;font-size:13px;color:var(--dim)}"
    ".tiles dd{margin:0;font-size:20px;color:var(--ink);font-variant-numeric:tabular-nums}"
    ".groups{display:grid;grid-template-columns:repeat(auto-fit,minmax(270px,1fr));gap:10px;"
    "margin:14px 0 22px}.groups>div{border:1px solid var(--line);border-radius:6px;padding:12px "
    "14px}.facts{display:grid;grid-template-columns:minmax(7em,max-content) 1fr;gap:5px 18px;"
    "margin:8px 0;font-size:14px}.groups .facts{grid-template-columns:minmax(0,1fr) minmax(0,1fr)}"
    ".facts dt{font-weight:400;color:var(--dim)}.facts dd{margin:0;color:var(--ink);"
    "font-variant-numeric:tabular-nums}\n"
    "nav li a{display:inline-block;padding:2px 0;min-height:24px}\n"
    "dt{font-weight:600}dd{margin:0 0 8px;color:var(--dim);overflow-wrap:anywhere}\n"
    "@media(max-width:600px){body{padding:14px}h1{font-size:22px}"
    "td,th{padding:4px 6px}}\n"
    "@page{margin:12mm}@media "
    "print{body{max-width:none;padding:0;font-size:10.5pt}figure,tr,.tiles,"
    ".groups>div{break-inside:avoid}h2,caption{break-after:avoid}.wrap{overflow:visible}"
    "table{font-size:7.5pt}td,th{padding:2px 3px}nav{display:none}"
    "td,rect,circle,line,path{print-color-adjust:exact;-webkit-print-color-adjust:exact}}\n";

void draw_page_open(FILE *out, const char *title)
{
    fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta "
          "name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>",
          out);
    draw_text(out, title);
    fprintf(out, "</title><style>%s%s</style></head><body>\n<main>\n<h1>", style, style_facts);
    draw_text(out, title);
    fputs("</h1>\n", out);
}

void draw_page_close(FILE *out)
{
    fputs("</main>\n</body></html>\n", out);
}

void draw_section_open(FILE *out, const char *id, const char *heading)
{
    fprintf(out, "<section aria-labelledby=\"%s\">\n<h2 id=\"%s\">", id, id);
    draw_text(out, heading);
    fputs("</h2>\n", out);
}

void draw_section_close(FILE *out)
{
    fputs("</section>\n", out);
}

void draw_format(FILE *out, const char *format, ...)
{
    char text[DRAW_FORMAT_BYTES];
    va_list list;
    va_start(list, format);
    int bytes = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (bytes < 0) {
        return; /* the format's own fault; nothing was put together */
    }
    if ((size_t)bytes >= sizeof text) {
        size_t end = sizeof text - 1;
        while (end > 0 && ((unsigned char)text[end - 1] & 0xc0) == 0x80) {
            end--;
        }
        /* The first byte of a letter that may be cut goes with it. */
        text[end > 0 && ((unsigned char)text[end - 1] & 0x80) != 0 ? end - 1 : end] = '\0';
    }
    draw_shown(out, text, strlen(text));
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
