// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/state/selection.h"

#include <algorithm>

namespace fkv::viz {

Selection::Selection(QObject* parent) : QObject(parent) {}

void Selection::reset(std::int64_t tokens, std::int64_t scored) {
    m_tokens = tokens;
    m_scored = scored;
    m_hover = {};
    m_layer = m_head = -1;
    m_marks.clear();
    m_hits.clear();
    m_range = clampRange({0, scored}, scored);
    Q_EMIT rangeChanged();
    Q_EMIT hoverChanged();
    Q_EMIT marksChanged();
    Q_EMIT pinnedChanged();
    Q_EMIT hitsChanged();
}

void Selection::setRange(TokenRange range) {
    const TokenRange clamped = clampRange(range, m_scored);
    if (clamped == m_range) return;
    m_range = clamped;
    Q_EMIT rangeChanged();
}

void Selection::zoom(double anchorToken, double factor) {
    setRange(zoomRange(m_range, m_scored, anchorToken, factor));
}

void Selection::pan(std::int64_t tokens) { setRange(panRange(m_range, m_scored, tokens)); }

void Selection::reveal(std::int64_t token) {
    if (m_range.has(token) || token < 0) return;
    const std::int64_t begin = token - m_range.size() / 2;
    setRange({begin, begin + m_range.size()});
}

void Selection::setHover(const Hover& hover) {
    if (hover == m_hover) return;
    m_hover = hover;
    Q_EMIT hoverChanged();
}

int Selection::freeNumber() {
    const auto taken = [this](int n) {
        return std::any_of(m_marks.begin(), m_marks.end(), [n](const Mark& m) { return m.number == n; });
    };
    for (int n = 1; n <= kMostMarks; ++n)
        if (!taken(n)) return n;
    const auto pin = std::find_if(m_marks.begin(), m_marks.end(), [](const Mark& m) { return !m.span; });
    if (pin == m_marks.end()) return 0;
    const int number = pin->number;
    m_marks.erase(pin);
    return number;
}

void Selection::pinToken(std::int64_t token, bool add) {
    if (token < 0 || token >= m_tokens) return;
    if (!add) std::erase_if(m_marks, [](const Mark& m) { return !m.span; });
    std::erase_if(m_marks, [token](const Mark& m) { return !m.span && m.tokens.begin == token; });
    const int number = freeNumber();
    if (number == 0) return;
    m_marks.push_back({number, false, {token, token + 1}, {}});
    Q_EMIT marksChanged();
    Q_EMIT pinnedChanged();
}

std::int64_t Selection::pinnedToken() const {
    const auto pin = std::find_if(m_marks.rbegin(), m_marks.rend(), [](const Mark& m) { return !m.span; });
    return pin == m_marks.rend() ? -1 : pin->tokens.begin;
}

void Selection::pinLayer(int layer) {
    if (layer == m_layer) return;
    m_layer = layer;
    Q_EMIT pinnedChanged();
}

void Selection::pinHead(int layer, int head) {
    if (layer == m_layer && head == m_head) return;
    m_layer = layer;
    m_head = head;
    Q_EMIT pinnedChanged();
}

int Selection::addSpan(TokenRange tokens, const QString& name) {
    tokens.begin = std::clamp<std::int64_t>(tokens.begin, 0, m_tokens);
    tokens.end = std::clamp(tokens.end, tokens.begin, m_tokens);
    if (tokens.size() == 0) return 0;
    const int number = freeNumber();
    if (number == 0) return 0;
    m_marks.push_back({number, true, tokens, name});
    Q_EMIT marksChanged();
    return number;
}

void Selection::removeMark(int number) {
    if (std::erase_if(m_marks, [number](const Mark& m) { return m.number == number; }) == 0) return;
    Q_EMIT marksChanged();
    Q_EMIT pinnedChanged();
}

void Selection::clearPins() {
    const bool removed = std::erase_if(m_marks, [](const Mark& m) { return !m.span; }) > 0;
    if (!removed && m_layer == -1 && m_head == -1) return;
    m_layer = m_head = -1;
    if (removed) Q_EMIT marksChanged();
    Q_EMIT pinnedChanged();
}

const Mark* Selection::firstSpan() const {
    const auto span = std::find_if(m_marks.begin(), m_marks.end(), [](const Mark& m) { return m.span; });
    return span == m_marks.end() ? nullptr : &*span;
}

void Selection::setHits(std::vector<TokenRange> hits) {
    m_hits = std::move(hits);
    Q_EMIT hitsChanged();
}

}  // namespace fkv::viz
