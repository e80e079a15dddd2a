// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/state/shown.h"

#include <utility>

namespace fkv::viz {

Shown::Shown(QObject* parent) : QObject(parent) {}

bool Shown::answersPending() const {
    if (!m_run || !m_run->fastkvAnswer || !m_run->fastkv) return true;
    if (m_run->hasReference() && !m_run->fullAnswer) return true;
    return m_asked && m_run->fastkv->settings != m_asked->settings;
}

bool Shown::firstTokenPending() const {
    if (!m_run || !m_run->fastkv) return true;
    return m_asked && !m_run->fastkv->settings.samePrefill(m_asked->settings);
}

void Shown::setRun(trace::RunPtr run, trace::FatePtr fate) {
    m_run = std::move(run);
    m_asked = std::move(fate);
    m_fate = m_run && m_run->full ? m_asked : nullptr;
    Q_EMIT runChanged();
    Q_EMIT fateChanged();
}

void Shown::setFate(trace::FatePtr fate) {
    m_asked = std::move(fate);
    m_fate = m_run && m_run->full ? m_asked : nullptr;
    Q_EMIT fateChanged();
}

void Shown::setDerived(Derived derived) {
    m_derived = std::move(derived);
    Q_EMIT derivedChanged();
}

void Shown::setPhase(Phase phase, const QString& text, double progress) {
    m_phase = phase;
    m_phaseText = text;
    m_progress = progress;
    Q_EMIT phaseChanged();
}

}  // namespace fkv::viz
