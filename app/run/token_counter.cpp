// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/run/token_counter.h"

#include "app/run/rendered_chat.h"

#include <algorithm>

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
        m_inbox.post([=, this] { Q_EMIT counted(id, tokens, limit, error); });
    });
}

void TokenCounter::fit(const LoadedModel& model, const Plan& plan, quint64 id) {
    m_thread.submit([this, model, plan, id](const std::stop_token& stop) {
        PromptFit fit;
        try {
            fit = fitOf(model, plan);
        } catch (const std::exception&) {
            return; // too long, or the model's folder is gone: that is said elsewhere
        }
        if (stop.stop_requested()) return;
        m_inbox.post([this, id, fit] { Q_EMIT fitted(id, fit); });
    });
}

PromptFit TokenCounter::fitOf(const LoadedModel& model, const Plan& plan) {
    const QString name = model.folder + u'\n' + QString::fromStdString(model.device.name);
    if (!m_planner || m_planned != name) {
        m_planner = std::make_unique<run::FitPlanner>(model.info.path, model.device);
        m_planned = name;
    }
    run::Request request;
    request.settings = plan.settings;
    request.memory = plan.memory;
    run::Room room = model.room;
    if (plan.memory.limitBytes > 0)
        room.deviceBytes = std::min(room.deviceBytes, plan.memory.limitBytes);
    PromptFit fit{m_planner->plan(plan.tokens, request, room), {}};
    if (plan.rates) fit.seconds = fit.report.expectedSeconds(*plan.rates, request);
    return fit;
}

} // namespace fkv::app
