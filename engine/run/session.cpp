// SPDX-License-Identifier: Apache-2.0
#include "engine/run/session.h"

#include "engine/core/error.h"
#include "engine/run/analysis.h"
#include "engine/run/measure.h"
#include "engine/run/prompt.h"
#include "engine/select/budgets.h"

#include <new>
#include <utility>

namespace fkv::run {

struct Session::Impl {
    template <class Device>
    Impl(const std::filesystem::path& folder, Device&& device, Observer& observer,
         const std::stop_token& stop)
        : state(folder, std::forward<Device>(device), observer, stop) {}
    SessionState state;

    /// Runs a request. When memory runs out, all that is held goes: less may fit the next time.
    template <class Task>
    trace::RunPtr guarded(const Task& task) {
        try {
            return task();
        } catch (const std::bad_alloc&) {
            state.held.release();
            throw Error(ErrorCode::OutOfMemory, "not enough memory for this prompt", kLess);
        } catch (const Error& error) {
            if (error.code() != ErrorCode::OutOfMemory) throw;
            state.held.release();
            throw Error(ErrorCode::OutOfMemory, error.what(), kLess);
        }
    }
    static constexpr const char* kLess =
        "A shorter prompt needs less; with a memory limit less is kept from the start.";
};

Session::Session() = default;
Session::~Session() = default;

template <class Device>
std::unique_ptr<Session> Session::openOn(const std::filesystem::path& modelFolder, Device&& device,
                                         Observer& observer, const std::stop_token& stop) {
    std::unique_ptr<Session> session(new Session);
    try {
        session->m_impl =
            std::make_unique<Impl>(modelFolder, std::forward<Device>(device), observer, stop);
    } catch (const std::bad_alloc&) {
        throw Error(ErrorCode::OutOfMemory, "not enough memory for this model");
    }
    return session;
}

std::unique_ptr<Session> Session::open(const std::filesystem::path& modelFolder,
                                       const ops::DeviceSpec& device, Observer& observer,
                                       const std::stop_token& stop) {
    return openOn(modelFolder, device, observer, stop);
}

std::unique_ptr<Session> Session::open(const std::filesystem::path& modelFolder,
                                       std::unique_ptr<ops::Backend> backend, Observer& observer,
                                       const std::stop_token& stop) {
    return openOn(modelFolder, std::move(backend), observer, stop);
}

const trace::ModelInfo& Session::model() const {
    return m_impl->state.model.info();
}
const text::Tokenizer& Session::tokenizer() const {
    return m_impl->state.model.tokenizer();
}

std::shared_ptr<const text::Tokenizer> Session::sharedTokenizer() const {
    return m_impl->state.model.sharedTokenizer();
}
const text::ChatSupport& Session::chatSupport() const {
    return m_impl->state.model.chatSupport();
}
const ops::DeviceInfo& Session::device() const {
    return m_impl->state.model.backend().info();
}
Gate& Session::gate() {
    return m_impl->state.gate;
}
const Session::Work& Session::lastWork() const {
    return m_impl->state.work;
}

trace::Prompt Session::tokenize(const PromptSpec& spec) const {
    const model::Config& config = m_impl->state.model.config();
    return makePrompt(spec, {tokenizer(), chatSupport()},
                      {config.vocabulary, config.contextLength});
}

Room Session::room() {
    SessionState& state = m_impl->state;
    return roomOf(state.model.backend(), heldBy(state.model, state.held), 0);
}

std::optional<Rates> Session::measureRates() {
    return ratesOf(m_impl->state.model.backend());
}

FitReport Session::fit(std::int64_t tokens, const Request& request) {
    return m_impl->state.fit(tokens, request);
}

trace::RunPtr Session::analyse(const Request& request, Observer& observer,
                               const std::stop_token& stop) {
    return m_impl->guarded([&] { return Analysis(m_impl->state, request, observer, stop).run(); });
}

trace::RunPtr Session::measure(const Request& request, int repeats, Observer& observer,
                               const std::stop_token& stop) {
    if (repeats < 1)
        throw Error(ErrorCode::BadArgument, "repetitions are out of range, valid: 1 or more");
    return m_impl->guarded([&] {
        const trace::RunPtr analysed = Analysis(m_impl->state, request, observer, stop).run();
        return measureStandalone(m_impl->state, {analysed, request, repeats}, observer, stop);
    });
}

} // namespace fkv::run
