// SPDX-License-Identifier: Apache-2.0
#include "engine/text/jinja/filters.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

namespace fkv::text::jinja {

namespace {

constexpr std::uint64_t kMostRange = 100000; // what Jinja's sandbox allows

constexpr std::array<std::string_view, 12> kMonths{"January",   "February", "March",    "April",
                                                   "May",       "June",     "July",     "August",
                                                   "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 7> kDays{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                "Thursday", "Friday", "Saturday"};

std::string padded(int value, int width, char fill = '0') {
    std::string text = std::to_string(value);
    while (text.size() < static_cast<std::size_t>(width))
        text.insert(text.begin(), fill);
    return text;
}

std::string printable(std::string_view letter) {
    const auto c = static_cast<unsigned char>(letter.front());
    return c > 0x20 && c < 0x7F ? "%" + std::string(letter) : "after %";
}

struct Calendar {
    explicit Calendar(const Moment& m)
        : day(std::chrono::year(m.year) / m.month / m.day),
          weekday(std::chrono::sys_days(day)),
          yearDay(static_cast<int>(
              (std::chrono::sys_days(day) - std::chrono::sys_days(day.year() / 1 / 1)).count())) {}
    std::chrono::year_month_day day;
    std::chrono::weekday weekday;
    int yearDay; ///< from 0
};

/// One field; empty optional for a letter that is not covered.
std::optional<std::string> field(const Moment& m, char letter) {
    const Calendar c(m);
    const auto month = static_cast<std::size_t>(m.month - 1);
    const int hour12 = m.hour % 12 == 0 ? 12 : m.hour % 12;
    switch (letter) {
    case 'Y':
        return padded(m.year, 4);
    case 'y':
        return padded(m.year % 100, 2);
    case 'm':
        return padded(m.month, 2);
    case 'B':
        return std::string(kMonths[month]);
    case 'b':
    case 'h':
        return std::string(kMonths[month].substr(0, 3));
    case 'd':
        return padded(m.day, 2);
    case 'e':
        return padded(m.day, 2, ' ');
    case 'A':
        return std::string(kDays[c.weekday.c_encoding()]);
    case 'a':
        return std::string(kDays[c.weekday.c_encoding()].substr(0, 3));
    case 'w':
        return padded(static_cast<int>(c.weekday.c_encoding()), 1);
    case 'u':
        return padded(static_cast<int>(c.weekday.iso_encoding()), 1);
    case 'j':
        return padded(c.yearDay + 1, 3);
    case 'H':
        return padded(m.hour, 2);
    case 'I':
        return padded(hour12, 2);
    case 'M':
        return padded(m.minute, 2);
    case 'S':
        return padded(m.second, 2);
    case 'p':
        return std::string(m.hour < 12 ? "AM" : "PM");
    case 'F':
        return padded(m.year, 4) + "-" + padded(m.month, 2) + "-" + padded(m.day, 2);
    case 'T':
        return padded(m.hour, 2) + ":" + padded(m.minute, 2) + ":" + padded(m.second, 2);
    case 'R':
        return padded(m.hour, 2) + ":" + padded(m.minute, 2);
    case 'D':
        return padded(m.month, 2) + "/" + padded(m.day, 2) + "/" + padded(m.year % 100, 2);
    case 'Z':
    case 'z':
        return std::string(); // a moment without a time zone
    case 'n':
        return std::string("\n");
    case 't':
        return std::string("\t");
    case '%':
        return std::string("%");
    default:
        return std::nullopt;
    }
}

} // namespace

Value makeRange(Runtime& runtime, const CallArguments& arguments) {
    const Given g(runtime, "range", arguments, {"start", "stop", "step"});
    const bool one = !g.has(1);
    for (const std::size_t i : {0U, 1U, 2U})
        if (g.has(i) && g.value(i).isNone()) runtime.refuse(g.value(i), "a whole number");
    if (!g.has(0)) runtime.fail("'range' needs an end");
    const std::int64_t from = one ? 0 : g.integer(0, 0);
    const std::int64_t to = one ? g.integer(0, 0) : g.integer(1, 0);
    const std::int64_t step = g.integer(2, 1);
    if (step == 0) runtime.fail("the step of a range is 0");
    // Unsigned, since the way from end to end may not fit a signed number.
    const auto low = static_cast<std::uint64_t>(std::min(from, to));
    const std::uint64_t way = static_cast<std::uint64_t>(std::max(from, to)) - low;
    const std::uint64_t stride =
        step > 0 ? static_cast<std::uint64_t>(step) : 0 - static_cast<std::uint64_t>(step);
    const bool empty = step > 0 ? from >= to : from <= to;
    const std::uint64_t count = empty ? 0 : (way - 1) / stride + 1;
    if (count > kMostRange)
        runtime.fail("a range has more than " + std::to_string(kMostRange) + " numbers");
    Values items(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < items.size(); ++i)
        items[i].data = from + static_cast<std::int64_t>(i) * step;
    return runtime.list(std::move(items), Sequence::Kind::Range);
}

Value makeDict(Runtime& runtime, const CallArguments& arguments) {
    if (arguments.positional.size() > 1) runtime.fail("'dict' takes at most 1 argument");
    Dict dict;
    const auto add = [&](const Value& key, const Value& value) {
        if (keyName(key).empty()) runtime.refuse(key, "a text or number as a key");
        dict.set(key, value);
    };
    if (!arguments.positional.empty()) {
        const Value& from = arguments.positional.front();
        if (const Dict* other = from.dict()) {
            runtime.step(other->items.size());
            dict = *other;
        } else {
            const SequencePtr every = runtime.items(from); // a temporary would end before the loop
            for (const Value& pair : every->items) {
                const SequencePtr parts = runtime.items(pair);
                if (parts->items.size() != 2) runtime.fail("'dict' needs pairs of key and value");
                add(parts->items[0], parts->items[1]);
            }
        }
    }
    for (const auto& [name, value] : arguments.named)
        add({Str{std::make_shared<const std::string>(name), false}}, value);
    return runtime.dict(std::move(dict));
}

Value makeNamespace(Runtime& runtime, const CallArguments& arguments) {
    const Value dict = makeDict(runtime, arguments);
    auto made = runtime.object<Namespace>();
    for (const auto& [key, value] : dict.dict()->items) {
        if (key.string() == nullptr) runtime.refuse(key, "a name");
        if (key.string()->starts_with('_'))
            runtime.fail("a namespace takes no name that begins with '_'");
        made->values[*key.string()] = value;
    }
    return {std::shared_ptr<Object>(std::move(made))};
}

std::string formatted(Runtime& runtime, std::string_view format) {
    std::string out;
    for (std::size_t i = 0; i < format.size(); ++i) {
        if (format[i] != '%' || i + 1 == format.size()) {
            out += format[i];
            continue;
        }
        const bool bare = format[i + 1] == '-' && i + 2 < format.size(); // "%-d": not padded
        i += bare ? 2 : 1;
        std::optional<std::string> text = field(runtime.now(), format[i]);
        if (!text)
            runtime.fail("strftime_now does not know the field " + printable(format.substr(i, 1)),
                         ErrorCode::Unsupported);
        if (bare) {
            const std::size_t first = text->find_first_not_of("0 ");
            text = first == std::string::npos ? "0" : text->substr(first);
        }
        out += *text;
    }
    return out;
}

} // namespace fkv::text::jinja
