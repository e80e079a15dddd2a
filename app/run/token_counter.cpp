// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/run/token_counter.h"

namespace fkv::app {

TokenCounter::TokenCounter(QObject* parent) : QObject(parent) {}

TokenCounter::~TokenCounter() = default;

void TokenCounter::count(const LoadedModel& model, const QString& text, quint64 id) {
    m_thread.submit([this, tokenizer = model.tokenizer, limit = model.info.contextLength, text,
                     id](const std::stop_token& stop) {
        qint64 tokens = -1;
        QString error;
        try {
            const auto encoding = tokenizer->encode(text.toStdString(), tokenizer->addsBos());
            tokens = static_cast<qint64>(encoding.ids.size());
        } catch (...) {
            error = failureOf(std::current_exception()).message;
        }
        if (stop.stop_requested()) return;
        QMetaObject::invokeMethod(
            this, [=, this] { Q_EMIT counted(id, tokens, limit, error); }, Qt::QueuedConnection);
    });
}

} // namespace fkv::app
