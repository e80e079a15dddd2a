// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/pages/samples_menu.h"

#include "viz/series/format.h"

#include <QCoreApplication>
#include <QMenu>

namespace fkv::app {
namespace {

struct Words {
    Q_DECLARE_TR_FUNCTIONS(fkv::app::SamplesMenu)
};

void addGroup(QMenu& menu, const QString& title, const SampleList& list, bool failures,
              const std::function<void(const Sample&)>& chosen) {
    bool first = true;
    for (const Sample& sample : list.samples) {
        if (sample.knownFailure != failures) continue;
        if (first) menu.addSection(title);
        first = false;
        // The part behind the tab stands in a column of its own, as shortcuts do.
        const QString answer = failures ? Words::tr("✖ expects %1") : Words::tr("✔ expects %1");
        QString text = sample.title;
        text.replace(QLatin1Char('&'), QStringLiteral("&&"));
        QAction* entry = menu.addAction(text + QLatin1Char('\t') + answer.arg(sample.answer));
        entry->setObjectName(sample.id);
        entry->setToolTip(
            Words::tr("%1 tokens. %2").arg(viz::formatCount(sample.tokens), sample.description));
        entry->setStatusTip(sample.description);
        QObject::connect(entry, &QAction::triggered, &menu, [sample, chosen] { chosen(sample); });
    }
}

} // namespace

void fillSamplesMenu(QMenu& menu, const SampleList& list,
                     const std::function<void(const Sample&)>& chosen) {
    menu.clear();
    menu.setToolTipsVisible(true);
    addGroup(menu, Words::tr("Answer holds at the defaults"), list, false, chosen);
    addGroup(menu, Words::tr("Answer is lost at the defaults"), list, true, chosen);
    if (list.problems.isEmpty() && !list.samples.empty()) return;
    menu.addSection(Words::tr("Not read"));
    for (const QString& problem : list.problems)
        menu.addAction(problem)->setEnabled(false);
    if (list.samples.empty()) menu.addAction(Words::tr("No samples were found"))->setEnabled(false);
}

} // namespace fkv::app
