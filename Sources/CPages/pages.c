#include "CPages.h"

#include <stddef.h>

// C takes files in as they are (C23, section 6.10.4), and builds anew when one of them changes. Swift has nothing like
// it that is as fast: an array literal of such a size costs its compiler a quarter of a minute.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char base_css[] = {
#embed "../../pages/base.css"
};
static const unsigned char icon_svg[] = {
#embed "../../pages/icon.svg"
};
static const unsigned char dom_js[] = {
#embed "../../pages/dom.js"
};
static const unsigned char client_js[] = {
#embed "../../clients/js/roost.js"
};

static const unsigned char chat_html[] = {
#embed "../../pages/chat/index.html"
};
static const unsigned char chat_css[] = {
#embed "../../pages/chat/chat.css"
};
static const unsigned char chat_app_js[] = {
#embed "../../pages/chat/app.js"
};
static const unsigned char chat_composer_js[] = {
#embed "../../pages/chat/composer.js"
};
static const unsigned char chat_entry_js[] = {
#embed "../../pages/chat/entry.js"
};
static const unsigned char chat_log_js[] = {
#embed "../../pages/chat/log.js"
};
static const unsigned char chat_side_js[] = {
#embed "../../pages/chat/side.js"
};
static const unsigned char chat_store_js[] = {
#embed "../../pages/chat/store.js"
};

static const unsigned char dashboard_html[] = {
#embed "../../pages/dashboard/index.html"
};
static const unsigned char dashboard_css[] = {
#embed "../../pages/dashboard/dashboard.css"
};
static const unsigned char dashboard_api_js[] = {
#embed "../../pages/dashboard/api.js"
};
static const unsigned char dashboard_app_js[] = {
#embed "../../pages/dashboard/app.js"
};
static const unsigned char dashboard_chart_js[] = {
#embed "../../pages/dashboard/chart.js"
};
static const unsigned char dashboard_events_js[] = {
#embed "../../pages/dashboard/events.js"
};
static const unsigned char dashboard_metrics_js[] = {
#embed "../../pages/dashboard/metrics.js"
};
static const unsigned char dashboard_panels_js[] = {
#embed "../../pages/dashboard/panels.js"
};

#define PAGE(path, bytes) { path, bytes, sizeof bytes }

static const struct roost_page pages[] = {
  PAGE("/", chat_html),
  PAGE("/client.js", client_js),
  PAGE("/dashboard", dashboard_html),
  PAGE("/pages/base.css", base_css),
  PAGE("/pages/icon.svg", icon_svg),
  PAGE("/pages/dom.js", dom_js),
  PAGE("/pages/chat/chat.css", chat_css),
  PAGE("/pages/chat/app.js", chat_app_js),
  PAGE("/pages/chat/composer.js", chat_composer_js),
  PAGE("/pages/chat/entry.js", chat_entry_js),
  PAGE("/pages/chat/log.js", chat_log_js),
  PAGE("/pages/chat/side.js", chat_side_js),
  PAGE("/pages/chat/store.js", chat_store_js),
  PAGE("/pages/dashboard/dashboard.css", dashboard_css),
  PAGE("/pages/dashboard/api.js", dashboard_api_js),
  PAGE("/pages/dashboard/app.js", dashboard_app_js),
  PAGE("/pages/dashboard/chart.js", dashboard_chart_js),
  PAGE("/pages/dashboard/events.js", dashboard_events_js),
  PAGE("/pages/dashboard/metrics.js", dashboard_metrics_js),
  PAGE("/pages/dashboard/panels.js", dashboard_panels_js),
};

const struct roost_page *roost_page(unsigned long index) {
  return index < sizeof pages / sizeof pages[0] ? &pages[index] : NULL;
}
