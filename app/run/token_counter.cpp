// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/run/token_counter.h"

#include "app/run/rendered_chat.h"

namespace fkv::app {

TokenCounter::TokenCounter(QObject* parent) : QObject(parent) {}

TokenCounter::~TokenCounter() = default;

namespace {

std::size_t tokensOf(const PromptInput& prompt, const text::Tokenizer& tokenizer,
                     const text::ChatSupport& support) {
    if (!prompt.chat)
        return tokenizer.encode(prompt.text.toStdString(), tokenizer.addsBos()).ids.size();
    return text::encodeChat(renderedChat(prompt, support), tokenizer).ids.size();
}

} // namespace

void TokenCounter::count(const LoadedModel& model, const PromptInput& prompt, quint64 id) {
    m_thread.submit([this, tokenizer = model.tokenizer, chat = model.chat,
                     limit = model.info.contextLength, prompt, id](const std::stop_token& stop) {
        qint64 tokens = -1;
        QString error;
        try {
            tokens = static_cast<qint64>(tokensOf(prompt, *tokenizer, chat));
        } catch (...) {
            error = failureOf(std::current_exception()).message;
        }
        if (stop.stop_requested()) return;
        QMetaObject::invokeMethod(
            this, [=, this] { Q_EMIT counted(id, tokens, limit, error); }, Qt::QueuedConnection);
    });
}

} // namespace fkv::app
