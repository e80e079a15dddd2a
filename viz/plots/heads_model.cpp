// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/heads_model.h"

#include "viz/series/parallel.h"

#include <QMetaObject>
#include <QThreadPool>
#include <algorithm>
#include <cmath>
#include <mutex>
#include <utility>

namespace fkv::viz {
namespace {

/// Details of so many heads are kept: a pointer that sweeps over the grid asks for each but once.
constexpr std::size_t kMostDetails = 4096;

// A pass may be published again with more known of it, or with a KV budget that reran no layer: the
// same planes need no second index.
bool samePlanes(const std::vector<trace::LayerPlanes>& a,
                const std::vector<trace::LayerPlanes>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
        return x.ranks == y.ranks && x.sums == y.sums;
    });
}

} // namespace

struct HeadsModel::Mailbox {
    std::mutex mutex;
    HeadsModel* model = nullptr;

    template <class Call>
    void post(Call call) {
        const std::lock_guard lock(mutex);
        if (model) model->m_inbox.post(std::move(call));
    }
};

HeadsModel::HeadsModel(const ViewContext& context, QObject* parent)
    : QObject(parent), m_context(context), m_mailbox(std::make_shared<Mailbox>()) {
    m_mailbox->model = this;
    connect(&m_context.shown, &Shown::runChanged, this, &HeadsModel::followRun);
    connect(&m_context.shown, &Shown::fateChanged, this, &HeadsModel::forgetFate);
    connect(&m_context.selection, &Selection::marksChanged, this, [this] {
        m_spanKept.reset();
        m_details.clear();
        Q_EMIT changed();
    });
    followRun();
}

HeadsModel::~HeadsModel() {
    m_stopFull.request_stop();
    m_stopLate.request_stop();
    const std::lock_guard lock(m_mailbox->mutex);
    m_mailbox->model = nullptr;
}

bool HeadsModel::ready() const {
    return m_context.shown.run() && m_context.shown.fate() && m_context.shown.run()->full &&
           layers() > 0 && heads() > 0;
}

int HeadsModel::layers() const {
    return m_context.shown.fate() ? static_cast<int>(m_context.shown.fate()->layers.size()) : 0;
}

int HeadsModel::heads() const {
    return layers() > 0 ? static_cast<int>(m_context.shown.fate()->layers.front().cut.size()) : 0;
}

void HeadsModel::followRun() {
    const trace::RunPtr& run = m_context.shown.run();
    const auto full = run ? run->full : nullptr;
    const auto rerun = run ? run->fastkv : nullptr;
    const StripBins bins(run ? run->scored() : 0);
    const bool sameFull = full == m_full || (full && m_full && bins == m_bins &&
                                             samePlanes(full->layers, m_full->layers));
    const bool sameRerun =
        sameFull &&
        (rerun == m_rerun || (rerun && m_rerun && rerun->survivors == m_rerun->survivors &&
                              samePlanes(rerun->late, m_rerun->late)));
    m_full = full;
    m_rerun = rerun;
    if (!sameFull) {
        m_bins = bins;
        m_indexes.full.clear();
        m_lastMass.clear();
        startIndexing(true);
    }
    if (!sameRerun) {
        m_indexes.late.clear();
        m_rerunTable = {};
        startIndexing(false);
    }
}

void HeadsModel::startIndexing(bool full) {
    std::stop_source& source = full ? m_stopFull : m_stopLate;
    source.request_stop();
    source = {};
    if (m_bins.count == 0 || (full ? !m_full : !m_rerun || m_rerun->late.empty())) return;
    ++m_jobs;
    auto job = [box = m_mailbox, stop = source.get_token(), bins = m_bins, pass = m_full,
                rerun = m_rerun, full] {
        std::vector<HeadIndexPtr> indexes =
            full ? indexFullPass(*pass, bins, stop) : indexRerun(*rerun, bins, stop);
        trace::HeadMassTable table;
        if (!full) table = rerunMassTable(*rerun, stop);
        box->post([box, stop, full, indexes = std::move(indexes), table = std::move(table)] {
            // On the model's own thread: it still lives, and stop tells whether it still asks.
            if (!stop.stop_requested()) {
                if (full)
                    box->model->takeFull(indexes);
                else
                    box->model->takeLate(indexes, table);
            }
            box->model->jobDone();
        });
    };
    QThreadPool::globalInstance()->start(std::move(job));
}

void HeadsModel::takeFull(std::vector<HeadIndexPtr> indexes) {
    m_indexes.full = std::move(indexes);
    m_counters.indexes += static_cast<int>(m_indexes.full.size());
}

void HeadsModel::takeLate(std::vector<HeadIndexPtr> indexes, trace::HeadMassTable table) {
    m_indexes.late = std::move(indexes);
    m_counters.indexes += static_cast<int>(m_indexes.late.size());
    m_rerunTable = std::move(table);
    m_mass.reset();
    m_worstMass.reset();
    Q_EMIT changed();
}

void HeadsModel::jobDone() {
    if (--m_jobs == 0) Q_EMIT indexesReady();
}

void HeadsModel::forgetFate() {
    m_strips.reset();
    m_mass.reset();
    m_worstMass.reset();
    m_spanKept.reset();
    m_details.clear();
    Q_EMIT changed();
}

const HeadStrips& HeadsModel::strips() {
    if (!m_strips) {
        ++m_counters.strips;
        m_strips = countStrips(fate(), m_bins, m_indexes);
    }
    return *m_strips;
}

const std::vector<float>& HeadsModel::mass() {
    if (!m_mass) {
        ++m_counters.mass;
        static const trace::HeadMassTable kNone;
        const trace::HeadMassTable& full = m_full && m_full->tables ? m_full->tables->heads : kNone;
        std::vector<float> mass = keptMass(fate(), {full, m_rerunTable});
        // A rerun is in and its table comes within the blink of an eye: no hole until then.
        for (std::size_t i = 0; i < mass.size() && indexing() && m_lastMass.size() == mass.size();
             ++i)
            if (std::isnan(mass[i])) mass[i] = m_lastMass[i];
        m_lastMass = mass;
        m_mass = std::move(mass);
    }
    return *m_mass;
}

HeadPlace HeadsModel::worst() {
    return worstHead(mass(), heads());
}

double HeadsModel::worstMass() {
    if (!m_worstMass) m_worstMass = worst().valid() ? exactKeptMass(run(), fate(), worst()) : NAN;
    return *m_worstMass;
}

TokenRange HeadsModel::span() const {
    const Mark* mark = m_context.selection.firstSpan();
    return mark ? mark->tokens : TokenRange{};
}

const std::vector<float>& HeadsModel::spanKept() {
    if (!m_spanKept) {
        ++m_counters.spans;
        const auto count = static_cast<std::size_t>(heads());
        const TokenRange tokens = span();
        std::vector<float> kept(static_cast<std::size_t>(layers()) * count);
        onTwoThreads(kept.size(), [&](std::size_t i) {
            const HeadPlace at{static_cast<int>(i / count), static_cast<int>(i % count)};
            kept[i] = static_cast<float>(keptIn(fate(), at, tokens));
        });
        m_spanKept = std::move(kept);
    }
    return *m_spanKept;
}

const HeadDetail& HeadsModel::detail(HeadPlace at) {
    const auto found = std::find_if(m_details.begin(), m_details.end(),
                                    [at](const HeadDetail& d) { return d.at == at; });
    if (found != m_details.end()) return *found;
    if (m_details.size() >= kMostDetails) m_details.clear();
    ++m_counters.details;
    m_details.push_back(describeHead(run(), fate(), at, span()));
    return m_details.back();
}

} // namespace fkv::viz
