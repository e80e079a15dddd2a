// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/run/derivation.h"

#include "engine/select/stabilization.h"

#include <algorithm>
#include <utility>

namespace fkv::app {
namespace {

viz::MeasuredLayer measuredLayer(const trace::Run& run) {
    viz::MeasuredLayer m;
    m.settings = run.fastkv->settings;
    if (run.fidelity && !run.fidelity->kl.empty()) {
        m.firstKl = run.fidelity->kl.front();
        if (run.fidelity->kl.size() > 1) m.meanKl = run.fidelity->meanKl();
    }
    if (run.fullAnswer && run.fastkvAnswer) {
        const std::string line = run.fastkvAnswer->firstLine();
        m.sameAnswer = line == run.fullAnswer->firstLine();
        if (!run.prompt->expected.empty()) m.expectedHolds = line == run.prompt->expected;
    }
    return m;
}

} // namespace

Derivation::Derivation(QObject* parent) : QObject(parent) {}

Derivation::~Derivation() = default;

void Derivation::clear() {
    cancel();
    m_values = {};
    m_full = nullptr;
    m_k = 0;
    Q_EMIT changed();
}

void Derivation::addMeasured(const trace::Run& run) {
    if (!run.fastkv || !run.fidelity || run.fidelity->kl.empty()) return;
    viz::MeasuredLayer fresh = measuredLayer(run);
    auto& all = m_values.measured;
    std::erase_if(all, [&fresh](const auto& m) { return m.settings == fresh.settings; });
    all.push_back(std::move(fresh));
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
        return a.settings.tspLayer < b.settings.tspLayer;
    });
    Q_EMIT changed();
}

void Derivation::derive(const trace::RunPtr& run, std::int64_t k) {
    if (!run || !run->full) return;
    const bool sameFull = run->full == m_full;
    if (sameFull && k == m_k) return;
    m_full = run->full;
    m_k = k;
    if (!sameFull) m_values = {.measured = std::move(m_values.measured)};
    const bool variance = m_values.rankVariance.empty();
    const quint64 request = ++m_request;
    m_busy = true;
    m_thread.submit([this, request, full = m_full, k, variance](const std::stop_token& stop) {
        viz::Derived fresh;
        try {
            ThreadPool pool(2);
            fresh.exactAtK = select::exactAt(*full, k, false, pool, stop);
            fresh.exactAtKWithoutEnd = select::exactAt(*full, k, true, pool, stop);
            if (variance) fresh.rankVariance = select::rankVariance(*full, {});
        } catch (const std::exception&) {
            // Stopped, or out of memory: the curves then stay interpolated, which they say.
            fresh = {};
        }
        m_inbox.post([this, request, fresh]() mutable { take(request, std::move(fresh)); });
    });
    Q_EMIT changed();
}

void Derivation::cancel() {
    if (!m_busy) return;
    ++m_request;
    m_busy = false;
    m_k = -1;
    m_thread.cancel();
}

void Derivation::take(quint64 request, viz::Derived&& fresh) {
    if (request != m_request) return;
    m_busy = false;
    m_values.exactAtK = std::move(fresh.exactAtK);
    m_values.exactAtKWithoutEnd = std::move(fresh.exactAtKWithoutEnd);
    if (!fresh.rankVariance.empty()) m_values.rankVariance = std::move(fresh.rankVariance);
    Q_EMIT changed();
}

} // namespace fkv::app
