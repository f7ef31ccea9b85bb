# fish completion of ncserver, made from the tables of the program itself.
@COMMON@
