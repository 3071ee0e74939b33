// SPDX-License-Identifier: MIT
// render/html.c -- a page around a picture: nothing is fetched, nothing runs.
#include "render/line.h"
#include "render/markup.h"
#include "render/picture.h"

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
    "style-src 'unsafe-inline'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n<title>";
static const char style[] =
    "<style>\nbody{margin:0;background:#fff;color:#1f2328}\n"
    ".picture{overflow:auto}\n.picture svg{display:block}\n"
    "pre{margin:0;padding:16px;border-top:1px solid #8c959f;overflow:auto;font:13px/1.35 "
    "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace}\n"
    "@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}}\n</style>\n";

enum rch_status rch_render_html(const struct rch_picture *picture, const char *text,
                                const struct rch_alloc *alloc, struct rch_sink *sink,
                                struct rch_error *err)
{
    rch_put(sink, head);
    rch_put_markup_name(sink, picture->heading ? picture->heading : "refchain", 500, false);
    rch_putf(sink, "</title>\n%s</head>\n<body>\n<div class=\"picture\">\n", style);
    RCH_TRY(rch_render_svg(picture, alloc, sink, err));
    rch_put(sink, "</div>\n");
    if (text) {
        rch_put(sink, "<pre>");
        rch_put_markup(sink, text);
        rch_put(sink, "</pre>\n");
    }
    rch_put(sink, "</body>\n</html>\n");
    return RCH_OK;
}
