// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>

namespace fkv::viz {

/// Choices that several views share.
class ViewOptions : public QObject {
    Q_OBJECT
public:
    enum class Source { Full, FastKv };    ///< which pass a picture shows
    enum class Scale { Rank, Mass };
    enum class FateMode { Tsp, Kv };       ///< whose decision gives the hue

    explicit ViewOptions(QObject* parent = nullptr);
    Source source() const { return m_source; }
    Scale scale() const { return m_scale; }
    FateMode fateMode() const { return m_fateMode; }
    bool strikeAllDropped() const { return m_strikeAllDropped; }
    void setSource(Source source);
    void setScale(Scale scale);
    void setFateMode(FateMode mode);
    void setStrikeAllDropped(bool on);

Q_SIGNALS:
    void changed();

private:
    Source m_source = Source::Full;
    Scale m_scale = Scale::Rank;
    FateMode m_fateMode = FateMode::Tsp;
    bool m_strikeAllDropped = false;
};

}  // namespace fkv::viz
