// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/trace/fate.h"
#include "engine/trace/run.h"

#include <QObject>
#include <QString>
#include <optional>
#include <vector>

namespace fkv::viz {

/// What TSP at one layer did to this prompt, where that rerun was made (VIEWS, Stabilization 3).
struct MeasuredLayer {
    trace::Settings settings;   ///< tspLayer says which
    double firstKl = 0.0;
    std::optional<double> meanKl;
    std::optional<bool> sameAnswer;   ///< first lines equal
    std::optional<bool> expectedHolds;
};

/// Values that need more than the Run and are computed elsewhere; each may be missing.
struct Derived {
    std::optional<trace::StabilizationTable> exactAtK;            ///< one K, all scored tokens
    std::optional<trace::StabilizationTable> exactAtKWithoutEnd;
    std::vector<double> rankVariance;   ///< [L], NaN where undefined; empty until known
    std::vector<MeasuredLayer> measured;
};

/// What is on show: the run, the fate of its tokens under the settings of the controls, and what the
/// engine is doing. Set by the program, followed by every view. Values are immutable and shared.
class Shown : public QObject {
    Q_OBJECT
public:
    enum class Phase { Empty, Loading, Running, Done, Cancelled, Failed };

    explicit Shown(QObject* parent = nullptr);

    const trace::RunPtr& run() const { return m_run; }
    /// Never older than the settings of the controls; null until a full pass is there, and for a run
    /// that has none (trace::Rung).
    const trace::FatePtr& fate() const { return m_fate; }
    /// The same; where a run has no full pass, what is known without: settings and budgets, but no
    /// layers.
    const trace::FatePtr& asked() const { return m_asked; }
    const Derived& derived() const { return m_derived; }

    Phase phase() const { return m_phase; }
    const QString& phaseText() const { return m_phaseText; }  ///< what is done, or why it failed
    double progress() const { return m_progress; }            ///< in [0, 1]

    /// Answers and fidelity belong to the settings of asked(): else they are pending.
    bool answersPending() const;
    /// First-token values belong to the prefill settings of asked(): a KV change alone keeps them.
    bool firstTokenPending() const;

    void setRun(trace::RunPtr run, trace::FatePtr fate);  ///< both at once, one repaint
    void setFate(trace::FatePtr fate);
    void setDerived(Derived derived);
    void setPhase(Phase phase, const QString& text, double progress);

Q_SIGNALS:
    void runChanged();     ///< also when the fate changed with it; fateChanged() follows
    void fateChanged();
    void derivedChanged();
    void phaseChanged();

private:
    trace::RunPtr m_run;
    trace::FatePtr m_fate, m_asked;
    Derived m_derived;
    Phase m_phase = Phase::Empty;
    QString m_phaseText;
    double m_progress = 0.0;
};

}  // namespace fkv::viz
