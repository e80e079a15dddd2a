// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/text/jinja/fault.h"
#include "engine/text/jinja/value.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace fkv::text::jinja {

/// What one rendering may cost at most. A template that needs more ends in an error.
struct Limits {
    std::size_t templateBytes = 1U << 20;
    std::int64_t steps = 5'000'000;       ///< nodes visited and items touched
    std::int64_t workBytes = 512LL << 20; ///< bytes of text and lists made or scanned, all together
    std::size_t outputBytes = 64U << 20;
    int depth = 250; ///< nodes in nodes while running: nesting and macros that call macros
};

/// A point in local time, for strftime_now.
struct Moment {
    int year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0;
    static Moment now(); ///< of this machine's clock, in its time zone
};

struct Namespace final : Object {
    Namespace() : Object(Kind::Namespace) {}
    void release() override { values.clear(); }
    std::map<std::string, Value, std::less<>> values;
};

using SequencePtr = std::shared_ptr<const Sequence>;

/// Makes values, counts what they cost, and knows the line that is being run.
class Runtime {
public:
    Runtime(const Limits& limits, const Moment& now) : m_limits(limits), m_now(now) {}
    ~Runtime();
    Runtime(const Runtime&) = delete;
    Runtime& operator=(const Runtime&) = delete;

    const Limits& limits() const { return m_limits; }
    const Moment& now() const { return m_now; }
    int line() const { return m_line; }
    void setLine(int line) { m_line = line; }

    /// Both throw Error{BadFile} once a limit is passed.
    void step(std::size_t count = 1);
    void work(std::size_t bytes);

    [[noreturn]] void fail(const std::string& what, ErrorCode code = ErrorCode::BadFile) const {
        fault(m_line, what, code);
    }
    /// Refuses `value` where something else is wanted: what it lacks, or its type.
    [[noreturn]] void refuse(const Value& value, const std::string& wanted) const;

    Value text(std::string text, bool markup = false);
    Value list(Values items, Sequence::Kind kind = Sequence::Kind::List);
    Value dict(Dict dict);
    static Value undefined(const std::string& why) {
        return {Undefined{std::make_shared<const std::string>(why)}};
    }
    /// Checks a container's depth.
    Value method(const Value& self, std::string_view name);
    template <typename T, typename... A>
    std::shared_ptr<T> object(A&&... arguments) {
        work(256);
        auto made = std::make_shared<T>(std::forward<A>(arguments)...);
        m_objects.push_back(made);
        return made;
    }

    /// What a loop over `value` sees: items, keys of a dict, characters of a string, nothing of
    /// an undefined value. A generator is used up. Throws for what cannot be looped over.
    SequencePtr items(const Value& value);
    /// The number of items; throws for what has none.
    std::int64_t length(const Value& value);

private:
    void checkDepth(int depth) const;

    const Limits& m_limits;
    Moment m_now;
    int m_line = 1;
    std::int64_t m_steps = 0;
    std::int64_t m_work = 0;
    std::vector<std::shared_ptr<Object>> m_objects;
};

} // namespace fkv::text::jinja
