// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/state/shown.h"

#include <utility>

namespace fkv::viz {

Shown::Shown(QObject* parent) : QObject(parent) {}

bool Shown::answersPending() const {
    if (!m_run || !m_run->fullAnswer || !m_run->fastkvAnswer || !m_run->fastkv) return true;
    return m_fate && m_run->fastkv->settings != m_fate->settings;
}

bool Shown::firstTokenPending() const {
    if (!m_run || !m_run->fastkv) return true;
    return m_fate && !m_run->fastkv->settings.samePrefill(m_fate->settings);
}

void Shown::setRun(trace::RunPtr run, trace::FatePtr fate) {
    m_run = std::move(run);
    m_fate = std::move(fate);
    Q_EMIT runChanged();
    Q_EMIT fateChanged();
}

void Shown::setFate(trace::FatePtr fate) {
    m_fate = std::move(fate);
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
