#include <vector>
using namespace std;
using base::Thing;
namespace geo { namespace deep {
template <typename T> class Shape : public Base, private other::Mixin<T> {
    int secret;
public:
    Shape(int size);
    virtual ~Shape() {}
    double area() const { return compute<T>(size_) + std::sqrt(2); }
    T &ref();
    bool operator==(const Shape &o) const { return true; }
protected:
    int size_;
};
struct Open { int x; };
using Short = std::vector<int>;
enum class Color { Red };
} }
double geo::deep::Shape<int>::area2() { auto f = [] { int z = 1; return z; }; return this->area() + a::b::c(new Open()); }
static void local_only() {}
namespace x::y { void deep() { a::b::c::d(); } }
