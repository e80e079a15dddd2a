// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/series/head_detail.h"
#include "viz/series/head_index.h"
#include "viz/series/head_mass.h"
#include "viz/series/head_strips.h"
#include "viz/state/inbox.h"
#include "viz/state/view_context.h"

#include <QObject>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

namespace fkv::viz {

/// What the views of "KV per head" draw, counted when it is first asked for and kept until what it
/// follows from changes (VIEWS section 5). Indexes of new planes are made on a worker; until one is
/// there, strips are counted from the ranks, which is as exact but slower.
class HeadsModel : public QObject {
    Q_OBJECT
public:
    explicit HeadsModel(const ViewContext& context, QObject* parent = nullptr);
    ~HeadsModel() override;

    /// There is a run and a fate with heads; everything below asks for that.
    bool ready() const;
    int layers() const;
    int heads() const;
    const trace::Run& run() const { return *m_context.shown.run(); }
    const trace::Fate& fate() const { return *m_context.shown.fate(); }
    const StripBins& bins() const { return m_bins; }

    const HeadStrips& strips();
    const std::vector<float>& mass();     ///< [L, G] share kept, NaN where not known
    HeadPlace worst();                    ///< by mass; invalid when unknown or nothing is lost
    double worstMass();                   ///< of that head, exact
    TokenRange span() const;              ///< the tracked span, or empty
    const std::vector<float>& spanKept(); ///< [L, G] tokens of the span
    const HeadDetail& detail(HeadPlace at);

    /// How often each was made: a hover makes none but the detail of a head not asked for before.
    struct Counters {
        int strips = 0, mass = 0, spans = 0, details = 0, indexes = 0;
        bool operator==(const Counters&) const = default;
    };
    const Counters& counters() const { return m_counters; }
    bool indexing() const { return m_jobs > 0; }
    std::size_t indexBytes() const { return m_indexes.bytes(); }

Q_SIGNALS:
    void changed();      ///< any of the values above
    void indexesReady(); ///< nothing is being indexed any more

private:
    /// Reaches the model from a worker as long as it lives.
    struct Mailbox;

    void followRun();
    void forgetFate();
    void startIndexing(bool full);
    void takeFull(std::vector<HeadIndexPtr> indexes);
    void takeLate(std::vector<HeadIndexPtr> indexes, trace::HeadMassTable table);
    void jobDone();

    ViewContext m_context;
    Inbox m_inbox;
    std::shared_ptr<Mailbox> m_mailbox;
    std::shared_ptr<const trace::FullPass> m_full;
    std::shared_ptr<const trace::FastKvPass> m_rerun;
    std::stop_source m_stopFull, m_stopLate;
    int m_jobs = 0;

    StripBins m_bins;
    HeadIndexes m_indexes;
    trace::HeadMassTable m_rerunTable;
    std::optional<HeadStrips> m_strips;
    std::optional<std::vector<float>> m_mass;
    std::vector<float> m_lastMass;
    std::optional<double> m_worstMass;
    std::optional<std::vector<float>> m_spanKept;
    std::vector<HeadDetail> m_details;
    Counters m_counters;
};

} // namespace fkv::viz
