local(left=4, rigth=4) + strided(s=4)
