/* SPDX-License-Identifier: Apache-2.0 */
/* Rules by part of a page: colours, frame, words, tables, forms, figures, then what narrow screens
 * and readers who want less motion or more contrast change. */
#include "server/console/console_style.h"

#include <stddef.h>

static const char *const rules[] = {
    ":root{color-scheme:light dark;--ink:#1c2430;--dim:#55606f;--line:#d3d9e2;--page:#fff;"
    "--soft:#f3f5f8;--link:#0a5fb4;--s0:#0b6bcb;--s1:#77828f;--s2:#c26a12;--s3:#178057;"
    "--good:#13795b;--bad:#b3261e}",
    "@media(prefers-color-scheme:dark){:root{--ink:#e6ebf2;--dim:#a3aebd;--line:#38424f;"
    "--page:#12161c;--soft:#1b212a;--link:#7ab8ff;--s0:#5aa9ff;--s1:#98a3b3;--s2:#f0a55a;"
    "--s3:#4cc795;--good:#5fd0a5;--bad:#ff8a80}}",
    "*{box-sizing:border-box}",
    "body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);margin:0}",
    "a{color:var(--link)}",
    ":focus-visible{outline:3px solid var(--s2);outline-offset:2px}",
    "main:focus{outline:none}",
    ".skip{position:absolute;left:-999px}",
    ".skip:focus{left:8px;top:8px;background:var(--page);padding:8px;z-index:1}",
    "header{display:flex;flex-wrap:wrap;align-items:center;gap:4px 20px;padding:8px 24px;"
    "background:var(--soft);border-bottom:1px solid var(--line)}",
    ".brand{font-weight:700;font-size:18px;color:var(--ink);text-decoration:none}",
    "nav ul{display:flex;flex-wrap:wrap;gap:2px;list-style:none;margin:0;padding:0}",
    "nav a{display:block;padding:8px 10px;border-radius:6px;text-decoration:none}",
    "nav a:hover{text-decoration:underline}",
    "nav a[aria-current]{background:var(--page);color:var(--ink);font-weight:600;"
    "box-shadow:inset 0 0 0 1px var(--line)}",
    ".who{margin-left:auto;display:flex;align-items:center;gap:10px;color:var(--dim);"
    "font-size:14px}",
    "main{max-width:1080px;margin:0 auto;padding:20px 24px 40px}",
    "footer{max-width:1080px;margin:0 auto;padding:12px 24px;color:var(--dim);font-size:13px}",
    "h1{font-size:26px;line-height:1.25;margin:0 0 12px;overflow-wrap:anywhere}",
    "h2{font-size:19px;margin:32px 0 8px}h3{font-size:14px;margin:0 0 4px;font-weight:600}",
    "p{max-width:44em;margin:0 0 12px}.note,small{color:var(--dim)}small{font-size:13px}",
    ".fault{border-left:4px solid var(--bad);background:var(--soft);padding:10px 14px;"
    "overflow-wrap:anywhere}.fault strong{color:var(--bad)}",
    ".good{color:var(--good)}.bad{color:var(--bad)}",
    ".ctl{background:var(--soft);border:1px solid var(--line);border-radius:3px;padding:0 2px;"
    "font:12px ui-monospace,monospace;color:var(--bad)}",
    ".tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:10px;"
    "margin:0 0 20px}",
    ".tiles div{border:1px solid var(--line);border-radius:6px;padding:8px 12px}",
    "dt{color:var(--dim);font-size:13px}dd{margin:0;font-size:20px;"
    "font-variant-numeric:tabular-nums;overflow-wrap:anywhere}",
    ".wrap{overflow-x:auto;margin:0 0 20px}",
    "table{border-collapse:collapse;width:100%;font-size:14px}",
    "caption{text-align:left;color:var(--dim);font-size:13px;padding:4px 8px}",
    "th,td{padding:6px 8px;text-align:left;border-bottom:1px solid var(--line);"
    "vertical-align:top}",
    "tbody th{font-weight:500}",
    "td,tbody th{overflow-wrap:break-word;max-width:26em}time{white-space:nowrap}",
    ".n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums;min-width:0}",
    "form.fields{display:grid;grid-template-columns:repeat(auto-fill,minmax(220px,1fr));"
    "gap:12px;align-items:end;margin:0 0 24px}",
    "label span{display:block;font-size:14px;margin-bottom:2px;overflow-wrap:anywhere}",
    "input,textarea,select{font:inherit;width:100%;padding:8px;color:var(--ink);"
    "background:var(--page);border:1px solid var(--s1);border-radius:6px}",
    "button{font:inherit;padding:8px 16px;border:1px solid var(--s1);border-radius:6px;"
    "background:var(--soft);color:var(--ink);cursor:pointer;min-height:42px}",
    "main button{background:var(--link);border-color:var(--link);color:var(--page)}",
    ".who button{padding:4px 12px;min-height:36px}",
    "details{margin:0 0 16px}summary{cursor:pointer;padding:6px 0}",
    ".whole{grid-column:1/-1}.pages{display:flex;gap:16px;margin:0 0 20px}",
    "figure{margin:0 0 24px}figure>svg{width:100%;height:auto;display:block}",
    ".two{display:grid;grid-template-columns:repeat(auto-fit,minmax(320px,1fr));gap:20px}",
    "svg text{fill:var(--ink);font-size:12px}svg .tick,svg .axis{fill:var(--dim)}",
    ".grid{stroke:var(--line);fill:none}.l0,.l1,.l2,.l3{fill:none;stroke-width:2}",
    ".l0{stroke:var(--s0)}.l1{stroke:var(--s2)}.l2{stroke:var(--s3)}.l3{stroke:var(--s1)}",
    ".b0{background:var(--s0)}.b1{background:var(--s2)}.b2{background:var(--s3)}"
    ".b3{background:var(--s1)}",
    "figcaption{font-size:13px;color:var(--dim)}figcaption span{margin-right:14px}",
    "figcaption i{display:inline-block;width:14px;height:3px;margin-right:5px;"
    "vertical-align:middle}",
    ".bar{width:160px;height:16px;display:block}.bar .up{fill:var(--s3)}"
    ".bar .down{fill:var(--bad)}.bar .zero{stroke:var(--s1);stroke-width:.6}",
    "@media(max-width:640px){header,main,footer{padding-left:14px;padding-right:14px}"
    "h1{font-size:22px}.bar{width:90px}.who{margin-left:0}.two{grid-template-columns:1fr}"
    "svg text{font-size:15px}table{width:max-content;min-width:100%}}",
    "@media(forced-colors:active){.bar .up,.bar .down{fill:CanvasText}}",
    "@media print{header,form,.skip{display:none}}",
};

void console_style(FILE *out)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        (void)fputs(rules[i], out);
        (void)fputc('\n', out);
    }
}
