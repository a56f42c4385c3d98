#include <stdio.h>
#include "shape.h"
#define MAX 10
#define SQUARE(x) ((x) * (x))

typedef struct point { int x, *y; char name[8]; int (*draw)(struct point *); } point_t;
typedef int (*callback)(void);
enum color { RED, GREEN = 2 };
union raw { int a; };
static int hidden = 1;
int counter, *pointer, table[3];
extern int declared(int a);
struct point *make(void);

#ifdef X
static void helper(struct point *p) { int local = SQUARE(p->x); p->draw(p); printf("%d", local); }
#endif
struct point *make(void) { helper(0); return 0; }
