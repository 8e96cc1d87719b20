"""A font with one sign, 王, for the tests: a TrueType file of 1 KB, compressed."""

import base64
import zlib

SIGN = "王"
TINY = zlib.decompress(
    base64.b85decode(
        "c-oCoO)mpc6g_X=n2zsAB*f|o3yFyMh#(Rc)<jvbVzkvZ+G<RF)XG9aQVajUAF#8rkch;>g76E(Lc$MVN9w$pQPq&R$$fLqdH3Bp?>-0sHQ0rO"
        "nx5_LKTBRV0-}rRQY7tUQRhC8ACV8nQ~8zC+nr<b8_g3jC)zg^Hi%D{LkS9@8o5vW#OzF@bKBMgu33LTZl~5F4%$#penoDjo$V}4SmZXj$~fuR"
        "?83zupj+ZDyXNMWbE{kA_vGEsUYSq!Xk@W*><v=B=)&i&kSKklfZUUcRQhfFGg1|YxxR2eD)+oj<zaY=K{q1cl_90#6slP9kFd+|I0JACZozX!"
        "Cwd}3g1RwJU)r7jZ^>-tD!i|$E4X^@+(NPFuZNqZd(?BT`kp*5UX62oexRwnDJqVP^N-13$D7O7j#N^;Kl)}@f<D5#-PZ&{rD>R`Lv4U9;uh`9"
        "tfpe4Bfth4_(DE5(Tb4(Tf{SS$xJ>Ri*KZybq!S+?g=pFkVFP~gb_m=8%V*yx2pcodn)u_Uas<`Aq;cN$;9yqXW3?d"
    )
)
