// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/state/view_keys.h"

#include <QKeyEvent>
#include <algorithm>

namespace fkv::viz {
namespace {

void moveToken(const ViewContext& c, std::int64_t by) {
    const std::int64_t at = c.selection.hover().token >= 0    ? c.selection.hover().token
                            : c.selection.pinnedToken() >= 0 ? c.selection.pinnedToken()
                                                             : c.selection.range().begin;
    const std::int64_t token = std::clamp<std::int64_t>(at + by, 0, c.selection.tokens() - 1);
    Hover hover = c.selection.hover();
    hover.token = token;
    hover.cell = {};
    if (hover.layer < 0) hover.layer = c.layer();
    c.selection.setHover(hover);
    c.selection.reveal(token);
}

void moveLayer(const ViewContext& c, int by) {
    const int layers = c.shown.run()->model.layers;
    const int layer = std::clamp(c.layer() + by, 0, layers - 1);
    c.selection.pinLayer(layer);
    Hover hover = c.selection.hover();
    if (hover.token >= 0) {
        hover.layer = layer;
        c.selection.setHover(hover);
    }
}

void moveHead(const ViewContext& c, int by) {
    const int heads = c.shown.run()->model.kvHeads;
    const int head = c.selection.pinnedHead();
    c.selection.pinHead(c.layer(), head < 0 ? (by > 0 ? 0 : heads - 1)
                                            : std::clamp(head + by, 0, heads - 1));
}

void trackHovered(const ViewContext& c) {
    const Hover& hover = c.selection.hover();
    const std::int64_t token = hover.token >= 0 ? hover.token : c.selection.pinnedToken();
    if (token < 0) return;
    const QString text = QString::fromStdString(c.shown.run()->prompt->tokenText(token)).trimmed();
    c.selection.addSpan({token, token + 1}, text);
}

bool clearMarks(const ViewContext& c) {
    if (c.selection.pinnedToken() < 0 && c.selection.pinnedLayer() < 0 && c.selection.pinnedHead() < 0)
        return false;
    c.selection.clearPins();
    return true;
}

}  // namespace

bool handleViewKey(const ViewContext& c, const QKeyEvent& event) {
    if (event.modifiers() & (Qt::ControlModifier | Qt::AltModifier | Qt::MetaModifier)) return false;
    if (!c.shown.run() || c.selection.tokens() == 0) return false;
    const int step = (event.modifiers() & Qt::ShiftModifier) ? 10 : 1;
    const TokenRange range = c.selection.range();
    const double middle = 0.5 * static_cast<double>(range.begin + range.end);
    switch (event.key()) {
        case Qt::Key_Left: moveToken(c, -step); return true;
        case Qt::Key_Right: moveToken(c, step); return true;
        case Qt::Key_Up: moveLayer(c, -step); return true;
        case Qt::Key_Down: moveLayer(c, step); return true;
        case Qt::Key_BracketLeft:
        case Qt::Key_PageUp: moveLayer(c, -1); return true;
        case Qt::Key_BracketRight:
        case Qt::Key_PageDown: moveLayer(c, 1); return true;
        case Qt::Key_Comma: moveHead(c, -1); return true;
        case Qt::Key_Period: moveHead(c, 1); return true;
        case Qt::Key_Return:
        case Qt::Key_Enter:
            if (c.selection.hover().token >= 0) c.selection.pinToken(c.selection.hover().token, false);
            return true;
        case Qt::Key_P: trackHovered(c); return true;
        case Qt::Key_T:
            c.options.setFateMode(c.options.fateMode() == ViewOptions::FateMode::Tsp ? ViewOptions::FateMode::Kv
                                                                                     : ViewOptions::FateMode::Tsp);
            return true;
        case Qt::Key_Plus:
        case Qt::Key_Equal: c.selection.zoom(middle, 0.5); return true;
        case Qt::Key_Minus: c.selection.zoom(middle, 2.0); return true;
        case Qt::Key_0:
        case Qt::Key_Home: c.selection.fit(); return true;
        case Qt::Key_Escape: return clearMarks(c);
        default: return false;
    }
}

}  // namespace fkv::viz
