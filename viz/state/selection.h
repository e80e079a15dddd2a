// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/series/position_axis.h"

#include <QObject>
#include <QString>
#include <cstdint>
#include <vector>

namespace fkv::viz {

/// What the pointer is on. -1: nothing. A cell of several tokens means its best token: `token`.
struct Hover {
    std::int64_t token = -1;
    TokenRange cell;   ///< all tokens of the cell; empty when one token is meant
    int layer = -1;
    int head = -1;
    bool operator==(const Hover&) const = default;
};

/// A pinned token or a tracked span (named run of tokens). `number` is 1 to 8 and picks the colour.
struct Mark {
    int number = 0;
    bool span = false;    ///< false: a pin, one token
    TokenRange tokens;
    QString name;         ///< "fact", "question", or the text of the tokens
    bool operator==(const Mark&) const = default;
};

/// The one owner of hover, pins, spans, pinned layer and head, search hits and the visible range.
/// Views change it and follow it, never each other. Belongs to a prompt: reset() for a new one.
class Selection : public QObject {
    Q_OBJECT
public:
    static constexpr int kMostMarks = 8;

    explicit Selection(QObject* parent = nullptr);

    /// A new prompt: `tokens` N, `scored` M. Clears everything and shows all.
    void reset(std::int64_t tokens, std::int64_t scored);
    std::int64_t tokens() const { return m_tokens; }
    std::int64_t scored() const { return m_scored; }

    TokenRange range() const { return m_range; }
    void setRange(TokenRange range);  ///< clamped
    void fit() { setRange({0, m_scored}); }
    void zoom(double anchorToken, double factor);
    void pan(std::int64_t tokens);
    /// Moves the range, if need be, so that the token is inside.
    void reveal(std::int64_t token);

    const Hover& hover() const { return m_hover; }
    void setHover(const Hover& hover);
    void clearHover() { setHover({}); }

    /// Pins a token as the only pin (spans stay); other views scroll to it. With `add` it is one more.
    void pinToken(std::int64_t token, bool add);
    std::int64_t pinnedToken() const;   ///< the newest pin, or -1
    int pinnedLayer() const { return m_layer; }  ///< -1: follow the TSP layer
    int pinnedHead() const { return m_head; }    ///< -1: all heads
    void pinLayer(int layer);
    void pinHead(int layer, int head);
    /// Adds a tracked span; the oldest mark that is not a span makes room. Returns its number, or 0.
    int addSpan(TokenRange tokens, const QString& name);
    void removeMark(int number);
    void clearPins();                   ///< pins, layer and head; tracked spans stay
    const std::vector<Mark>& marks() const { return m_marks; }
    const Mark* firstSpan() const;      ///< the tracked span that views explain, or null

    const std::vector<TokenRange>& hits() const { return m_hits; }  ///< of the search, ascending
    void setHits(std::vector<TokenRange> hits);

Q_SIGNALS:
    void rangeChanged();
    void hoverChanged();
    void marksChanged();      ///< pins and spans
    void pinnedChanged();     ///< token, layer or head that views show
    void hitsChanged();

private:
    int freeNumber();

    std::int64_t m_tokens = 0;
    std::int64_t m_scored = 0;
    TokenRange m_range;
    Hover m_hover;
    int m_layer = -1;
    int m_head = -1;
    std::vector<Mark> m_marks;
    std::vector<TokenRange> m_hits;
};

}  // namespace fkv::viz
