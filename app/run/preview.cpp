// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/run/preview.h"

#include "engine/select/budgets.h"
#include "engine/select/fate.h"

namespace fkv::app {

trace::FatePtr Preview::fate(const trace::RunPtr& run, const trace::Settings& settings) {
    if (!run) return nullptr;
    select::validate(settings, run->model.layers);
    if (!run->full) return select::deployedFate(*run, settings);
    trace::Settings scored = settings;
    scored.window = run->full->window;
    scored.kernel = run->full->kernel;
    scored.pooling = run->full->pooling;
    const bool known = m_previous && m_full == run->full && m_fastkv == run->fastkv &&
                       m_previous->settings == scored;
    if (!known) m_previous = select::computeFate(*run, scored, &m_pool, m_previous);
    m_full = run->full;
    m_fastkv = run->fastkv;
    const bool ownScores = !run->recorded || !m_recorded || run->full == m_recorded->full;
    if (scored == settings && ownScores) return m_previous;
    auto approximate = std::make_shared<trace::Fate>(*m_previous);
    approximate->settings = settings;
    for (trace::LayerFate& layer : approximate->layers)
        layer.state = trace::State::Preview;
    return approximate;
}

} // namespace fkv::app
