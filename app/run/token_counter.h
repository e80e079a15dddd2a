// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/run/job_thread.h"
#include "app/run/prompt_input.h"
#include "app/run/worker.h"

#include <QObject>

namespace fkv::app {

/// Counts the tokens of a prompt, rendered when it is a chat, with the open model's tokenizer on a
/// thread of its own, so that a long text can be typed in while the engine works. The newest text
/// wins.
class TokenCounter : public QObject {
    Q_OBJECT
public:
    explicit TokenCounter(QObject* parent = nullptr);
    ~TokenCounter() override;
    /// Emits counted() with this id, unless a newer request comes first.
    void count(const LoadedModel& model, const PromptInput& prompt, quint64 id);

Q_SIGNALS:
    /// Tokens with BOS and the model's limit, or why there is no count.
    void counted(quint64 id, qint64 tokens, qint64 limit, const QString& error);

private:
    JobThread m_thread;
};

} // namespace fkv::app
