// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/support/view_fixture.h"

#include <QApplication>
#include <QElapsedTimer>
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

namespace fkv::testing {

/// Times changes of a view's state from the change to the painted widget, and prints median and
/// p95.
class MoveBench {
public:
    explicit MoveBench(ViewFixture& fixture) : f(fixture) {}

    /// From `change` until everything that it touched is painted.
    void measure(const std::function<void()>& change) {
        QElapsedTimer timer;
        const std::clock_t before = std::clock();
        timer.start();
        change();
        QCoreApplication::processEvents();
        m_samples.push_back(static_cast<double>(timer.nsecsElapsed()) * 1e-6);
        m_processor.push_back(static_cast<double>(std::clock() - before) * 1e3 / CLOCKS_PER_SEC);
    }
    /// Prints what was measured since the last report; nothing when nothing was.
    void report(const std::string& name, const std::string& more = {}) {
        if (m_samples.empty()) return;
        std::sort(m_samples.begin(), m_samples.end());
        std::sort(m_processor.begin(), m_processor.end());
        const auto at = [](const std::vector<double>& sorted, double q) {
            return sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1))];
        };
        std::printf("%-26s n %3zu  median %7.2f  p95 %7.2f ms  processor %7.2f ms  %s\n",
                    name.c_str(), m_samples.size(), at(m_samples, 0.5), at(m_samples, 0.95),
                    at(m_processor, 0.5), more.c_str());
        m_samples.clear();
        m_processor.clear();
    }
    /// Sixty settings in a row, without the computation of the fate.
    void moves(const std::function<void(trace::Settings&, int)>& change) {
        for (int i = 0; i < 60; ++i) {
            trace::Settings to = f.settings.settings();
            change(to, i);
            f.settings.set(to);
            const auto fate = select::computeFate(*f.shown.run(), to, nullptr, f.shown.fate());
            measure([&] { f.shown.setFate(fate); });
        }
    }

protected:
    ViewFixture& f;

private:
    std::vector<double> m_samples, m_processor;
};

} // namespace fkv::testing
