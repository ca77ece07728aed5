/* Windows.UI.ViewManagement.UISettings, which Qt 6 asks for the system's colours as it starts and which Wine 8 lacks.
 *
 * It answers with black, white and one blue, and never tells of a change. The interfaces are those of windows.ui.viewmanagement.h
 * in the Windows SDK; setup.sh enters the library as the one that has this class.
 */
#include <windows.h>

typedef struct { BYTE a, r, g, b; } colour;
typedef struct { const void *const *calls; } thing;

static const GUID factory = {0x35, 0, 0, {0xc0, 0, 0, 0, 0, 0, 0, 0x46}};
static const GUID settings = {0x85361600, 0x1c63, 0x4627, {0xbc, 0xb1, 0x3a, 0x89, 0xe0, 0xbc, 0x9c, 0x55}};
static const GUID settings3 = {0x03021be4, 0x5254, 0x4781, {0x81, 0x94, 0x51, 0x68, 0xf7, 0xd0, 0x6d, 0x7b}};
static const GUID unknown = {0, 0, 0, {0xc0, 0, 0, 0, 0, 0, 0, 0x46}};
static const GUID inspectable = {0xaf86e2e0, 0xb12d, 0x4c6a, {0x9c, 0x5a, 0xd7, 0xaa, 0x65, 0x10, 0x1e, 0x90}};

static thing the_factory, the_settings, the_colours;

static HRESULT query(thing *self, const GUID *wanted, void **found) {
    *found = NULL;
    if (IsEqualGUID(wanted, &unknown) || IsEqualGUID(wanted, &inspectable)) *found = self;
    else if (self == &the_factory && IsEqualGUID(wanted, &factory)) *found = self;
    else if (self != &the_factory && IsEqualGUID(wanted, &settings)) *found = &the_settings;
    else if (self != &the_factory && IsEqualGUID(wanted, &settings3)) *found = &the_colours;
    return *found ? S_OK : E_NOINTERFACE;
}
static ULONG count(thing *self) { (void)self; return 1; /* they stay for good */ }
static HRESULT no_ids(thing *self, ULONG *number, void **ids) { (void)self; *number = 0; *ids = NULL; return S_OK; }
static HRESULT no_name(thing *self, void **name) { (void)self; *name = NULL; return S_OK; }
static HRESULT trust(thing *self, int *level) { (void)self; *level = 0; return S_OK; }
static HRESULT made(thing *self, void **object) { (void)self; *object = &the_settings; return S_OK; }
static HRESULT none(void) { return E_NOTIMPL; }

static HRESULT colour_of(thing *self, int kind, colour *out) { /* 0 background, 1 foreground, 2 to 8 accents */
    (void)self;
    if (kind == 0) *out = (colour){255, 255, 255, 255};
    else if (kind == 1) *out = (colour){255, 0, 0, 0};
    else *out = (colour){255, 0, 90, 158};
    return S_OK;
}
static HRESULT heed(thing *self, void *handler, INT64 *token) { (void)self; (void)handler; *token = 1; return S_OK; }
static HRESULT leave(thing *self, INT64 token) { (void)self; (void)token; return S_OK; }

#define BASE (void *)query, (void *)count, (void *)count, (void *)no_ids, (void *)no_name, (void *)trust
static const void *const factory_calls[] = {BASE, (void *)made};
static const void *const settings_calls[] = {BASE, /* sizes, times, switches: Qt asks the older calls for them */
    (void *)none, (void *)none, (void *)none, (void *)none, (void *)none, (void *)none, (void *)none, (void *)none,
    (void *)none, (void *)none, (void *)none, (void *)none, (void *)none, (void *)none, (void *)none};
static const void *const colour_calls[] = {BASE, (void *)colour_of, (void *)heed, (void *)leave};

static thing the_factory = {factory_calls}, the_settings = {settings_calls}, the_colours = {colour_calls};

__declspec(dllexport) HRESULT DllGetActivationFactory(void *name, void **found) {
    (void)name;
    *found = &the_factory;
    return S_OK;
}
