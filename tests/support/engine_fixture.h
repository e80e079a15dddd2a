// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/io/json_limits.h"
#include "engine/run/session.h"
#include "engine/select/budgets.h"

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

namespace fkv::testing {

/// Remembers what a session said.
class Recorder : public run::Observer {
public:
    void progress(const run::Progress& p) override { stages.push_back(p); }
    void published(const trace::RunPtr& run) override { runs.push_back(run); }
    std::vector<run::Progress> stages;
    std::vector<trace::RunPtr> runs;
};

inline std::unique_ptr<run::Session> openDemo(int threads = 2) {
    Recorder recorder;
    return run::Session::open(FKV_RESOURCES "/models/demo", {"cpu", threads}, recorder, {});
}

/// One session for all cases of a test that leave nothing behind for each other.
inline run::Session& demo() {
    static const std::unique_ptr<run::Session> session = openDemo();
    return *session;
}

inline std::string promptText(const std::string& file) {
    return io::readText(std::string(FKV_RESOURCES "/prompts/") + file);
}

/// The defaults on a prompt text.
inline run::Request requestFor(std::string text, int layers = 16) {
    run::Request request;
    request.prompt.text = std::move(text);
    request.settings = select::defaultSettings(layers);
    return request;
}

/// A request on ids as they are.
inline run::Request requestFor(std::vector<std::int32_t> ids, int layers = 16) {
    run::Request request;
    request.prompt.ids = std::move(ids);
    request.settings = select::defaultSettings(layers);
    return request;
}

inline trace::RunPtr analyse(run::Session& session, const run::Request& request) {
    Recorder recorder;
    return session.analyse(request, recorder, {});
}

template <class T>
std::vector<T> toVector(const trace::PlanePtr<T>& plane) {
    return {plane->values().begin(), plane->values().end()};
}

inline std::vector<float> sumsOf(const trace::LayerPlanes& planes) {
    std::vector<float> all(planes.sums->heads() * planes.sums->tokens());
    for (std::size_t h = 0; h < planes.sums->heads(); ++h)
        planes.sums->row(h,
                         std::span(all).subspan(h * planes.sums->tokens(), planes.sums->tokens()));
    return all;
}

/// The thread sanitizer slows the kernels a hundredfold: there, fewer rounds look for the same
/// races.
#if defined(__SANITIZE_THREAD__)
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif
/// A prompt's length, cut short under the thread sanitizer.
constexpr std::size_t sized(std::size_t tokens) {
    return kThreadSanitizer && tokens > 90 ? 90 : tokens;
}
/// First statement of a case that is about numbers alone and would take minutes there.
#define FKV_SKIP_UNDER_THREAD_SANITIZER()                                                          \
    if (fkv::testing::kThreadSanitizer) GTEST_SKIP() << "too slow under the thread sanitizer"

/// Ids of no meaning, never a control token; the same for the same seed.
std::vector<std::int32_t> randomIds(std::size_t count, std::uint32_t seed);

/// Every number that a person could see is the same, bit for bit, but times and bytes.
void expectSameRun(const trace::Run& a, const trace::Run& b);

} // namespace fkv::testing
