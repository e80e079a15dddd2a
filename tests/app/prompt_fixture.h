// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/pages/prompt_page.h"
#include "tests/support/view_fixture.h"

#include <QTest>
#include <memory>

namespace fkv::testing {

/// A prompt page with the program's samples and facts, in an active window.
class PromptFixture : public ViewFixture {
public:
    PromptFixture() {
        theme.apply();
        page = std::make_unique<app::PromptPage>(context());
        page->setLibrary(app::loadFactLibrary(folder()));
        page->resize(280, 640);
        page->show();
        if (!QTest::qWaitForWindowActive(page.get())) qFatal("the window does not become active");
    }
    static QString folder() { return QStringLiteral(FKV_RESOURCES "/prompts"); }
    static std::vector<app::Sample> samples() { return app::loadSamples(folder()).samples; }

    template <class T>
    T& part(const QString& accessibleName) {
        for (T* widget : page->findChildren<T*>())
            if (widget->accessibleName() == accessibleName) return *widget;
        qFatal("no such widget: %s", qPrintable(accessibleName));
    }
    template <class T>
    T& button(const QString& text) {
        for (T* widget : page->findChildren<T*>())
            if (widget->text() == text) return *widget;
        qFatal("no such button: %s", qPrintable(text));
    }
    static QByteArray covered(const app::PromptInput& prompt, const QString& name) {
        for (const app::PromptInput::Span& span : prompt.spans)
            if (span.name == name)
                return prompt.text.toUtf8().mid(span.byteBegin, span.byteEnd - span.byteBegin);
        return {};
    }

    std::unique_ptr<app::PromptPage> page;
};

} // namespace fkv::testing
