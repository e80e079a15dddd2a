// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/run/job_thread.h"
#include "app/run/prompt_input.h"
#include "app/run/worker.h"
#include "viz/state/inbox.h"

#include <QObject>
#include <memory>
#include <optional>

namespace fkv::app {

/// Whether a prompt fits the memory, and how long it takes where rates of the device are known.
struct PromptFit {
    run::FitReport report;
    std::optional<double> seconds;
};

/// Counts the tokens of a prompt, rendered when it is a chat, with the open model's tokenizer on a
/// thread of its own, so that a long text can be typed in while the engine works; and says what a
/// run of so many tokens would need, from the model's headers alone. The newest request wins.
class TokenCounter : public QObject {
    Q_OBJECT
public:
    explicit TokenCounter(QObject* parent = nullptr);
    ~TokenCounter() override;
    /// Emits counted() with this id, unless a newer request comes first.
    void count(const LoadedModel& model, const PromptInput& prompt, quint64 id);
    /// What the prompt would be run with.
    struct Plan {
        qint64 tokens;
        trace::Settings settings;
        run::Request::Memory memory;
        std::optional<run::Rates> rates;
    };
    /// Emits fitted() with this id, unless a newer request comes first or the model does not take
    /// such a prompt.
    void fit(const LoadedModel& model, const Plan& plan, quint64 id);

Q_SIGNALS:
    /// Tokens with BOS and the model's limit, or why there is no count.
    void counted(quint64 id, qint64 tokens, qint64 limit, const QString& error);
    void fitted(quint64 id, const fkv::app::PromptFit& fit);

private:
    PromptFit fitOf(const LoadedModel& model, const Plan& plan);

    std::unique_ptr<run::FitPlanner> m_planner; ///< of the thread, for m_planned
    QString m_planned;                          ///< folder and device
    viz::Inbox m_inbox;
    JobThread m_thread;
};

} // namespace fkv::app
